#!/bin/sh
# A guest's ACPI tables through Intel's own tools: iasl reads every table, and
# acpiexec loads FADT and DSDT into the interpreter that Linux uses.
TOP=$(cd "$(dirname "$0")/../.." && pwd)
. "$TOP/tests/tap/tap.sh"

image=$PWD/tests/provisioner/guest-image
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

clean_disassembly() {                   # clean_disassembly TABLE
    (cd "$dir" && iasl -d "$1.dat") >"$dir/$1.out" 2>&1 || { cat "$dir/$1.out"; return 1; }
    ! grep -iE 'error|warning|invalid|incorrect|unknown|truncated' "$dir/$1.out" "$dir/$1.dsl"
}

interpreted() {
    (cd "$dir" && acpiexec -b 'namespace; quit' facp.dat dsdt.dat) >"$dir/exec.out" 2>&1
    cat "$dir/exec.out"
    grep -q '_SB_' "$dir/exec.out" && ! grep -iE 'ACPI (BIOS )?error|checksum' "$dir/exec.out"
}

for vcpus in 1 2 32; do
    check "$vcpus vCPU: tables are written" "$image" --dump-acpi "$dir" "$vcpus"
    for table in facp apic dsdt xsdt; do
        check "$vcpus vCPU: iasl reads $table without complaint" clean_disassembly "$table"
    done
    check "$vcpus vCPU: iasl sees every LAPIC" \
        sh -c "test \$(grep -c 'Processor Local APIC' '$dir/apic.dsl') -eq $vcpus"
done
check "acpiexec loads FADT and DSDT" interpreted
tap_end
