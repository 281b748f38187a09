#!/bin/sh
# Turns migration files into a C table for common/db.h:
#     embed.sh NAME 0001-first.sql 0002-next.sql ... > NAME.h
# gives `static const struct db_migration NAME_migrations[]`.
set -eu
name=$1
shift
echo "/* Made by schema/embed.sh from the migrations of $name. */"
echo '#include "common/db.h"'
echo "static const struct db_migration ${name}_migrations[] = {"
for file; do
    printf '    { "%s",\n' "$(basename "$file" .sql)"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/      "/' -e 's/$/\\n"/' "$file"
    echo '    },'
done
echo '};'
