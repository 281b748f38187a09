# aqbanking.py SHOWN.json EXPORT.csv: the payments of camt-show are those that AqBanking read, in their order.
import csv, fractions, json, sys

shown = json.load(open(sys.argv[1]))
read = list(csv.DictReader(open(sys.argv[2], newline=''), delimiter=';'))
wrong = [] if len(shown) == len(read) and shown else [f'{len(shown)} payments here, {len(read)} there']
for ours, theirs in zip(shown, read):
    theirs = dict(theirs, date=theirs['date'].replace('/', '-'),
                  nano=str(fractions.Fraction(theirs['value_value']) * 10**9))
    wrong += [f'{key}: {ours[key]!r} here, {theirs[key]!r} there' for key in ours if ours[key] != theirs[key]]
print('\n'.join(wrong))
sys.exit(bool(wrong))
