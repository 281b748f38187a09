# table.awk: the comparison, from two files of merged figures:
#
#   awk -f table.awk XEN OURS
#
# Each line of both: NAME UNITS MEDIAN MEAN EVENTS GUEST-EXITS DECODED DOM0-EXITS INJECTED, counts over all units.
# The peer's decoding of an instruction costs `decoding` instructions at each exit that needs it (tests/bench/peers: stock
# less the column beside it), because TCG has no NRIPS; the column `no decoding` is without it.
# Ends with one line `verdict NAME ours|xen QUANTITY OURS XEN` for each load and quantity.
BEGIN {
    decoding = 5910
    format = "# %-17s %8s %8s %11s   %6s %6s   %6s %6s   %6s\n"
    printf format, "", "instruc-", "", "", "exits", "", "events", "", "dom0's"
    printf format, "per unit", "tions", "Xen 4.17", "no decoding", "guest", "Xen", "guest", "Xen", "exits"
}
FNR == NR {
    xen[$1] = $3
    plain[$1] = $3 - decoding * $7 / $2
    xen_exits[$1] = $6 / $2
    xen_events[$1] = $5 / $2
    next
}
{
    printf "# %-17s %8d %8d %11d   %6.2f %6.2f   %6.2f %6.2f   %6.2f\n", $1, $3, xen[$1], plain[$1],
        $6 / $2, xen_exits[$1], $5 / $2, xen_events[$1], $8 / $2
    verdicts = verdicts sprintf("verdict %s instructions %d %d\n", $1, $3, xen[$1]) \
        sprintf("verdict %s exits %.2f %.2f\n", $1, $6 / $2, xen_exits[$1])
}
END { printf "%s", verdicts }
