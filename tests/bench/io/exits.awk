# exits.awk: counts exits of each load from QEMU's log (-d in_asm with a -dfilter that lets no code through
# leaves vmrun, vmexit and injections), told apart by the marks that io-guest makes.
#
#   awk -v mark=ADDRESS -f exits.awk      (ADDRESS: 16 hex digits, of io_mark in io-guest)
#
# Prints for the Nth load: `exits N GUEST-EXITS DECODED OTHER-EXITS INJECTED CODE:COUNT ...`. GUEST-EXITS are those of the
# vCPU that made the mark, less the mark itself, DECODED those of them whose instruction's length a hypervisor must find
# out without NRIPS (CPUID, HLT, VMMCALL, MSR); OTHER-EXITS are those of any other vCPU (dom0's, when it is one).
# Codes are the guest's, as in AMD's manual volume 2, appendix C.
function report(   line, code) {
    line = ""
    for (code in by_code)
        line = line " " code ":" by_code[code]
    print "exits", ++loads, mine, decoded, others, injected, "|" line
    fflush()
}
function reset() {
    mine = decoded = others = injected = 0
    split("", by_code)
}
/Injecting|Servicing virtual/ && inside && vcpu == guest { injected++ }
/^vmrun!|Injecting.*vmrun!/ { vcpu = $NF }
match($0, /vmexit\([0-9a-f]*, [0-9a-f]*, [0-9a-f]*, [0-9a-f]*\)/) {     # may follow an injection on its line
    code = substr($0, RSTART + 7, 8)
    rip = substr($0, RSTART + RLENGTH - 17, 16)
    if (code == "00000072" && rip == mark) {
        guest = vcpu
        if (inside)
            report()
        inside = !inside
        reset()
    } else if (inside && vcpu == guest) {
        mine++
        by_code[code]++
        if (code ~ /0000007[28c]|00000081/)
            decoded++
    } else if (inside) {
        others++
    }
}
