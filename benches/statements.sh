#!/usr/bin/env bash
# Long `transaction = off` scripts: whether the time grows with the number of statements and no faster.
#
#   benches/statements.sh sqlite|postgres [run|sql]
#
# MIGRATOR names the command to measure (target/release/migrator). PostgreSQL comes from tests/cluster, unless
# MIGRATOR_TEST_POSTGRES names a server. `sql` measures the script of --sql in place of a run. For each of SIZES
# (500 1000 2000 4000 8000): the best of RUNS (3) alternating runs, the time of one statement as a ratio to that of the
# first size, and the size of the version table.
set -euo pipefail

backend=${1:?sqlite or postgres}
what=${2:-run}
sizes=${SIZES:-500 1000 2000 4000 8000}
runs=${RUNS:-3}
root=$(cd "$(dirname "$0")/.." && pwd)
migrator=${MIGRATOR:-$root/target/release/migrator}
dir=$(mktemp -d "${TMPDIR:-/tmp}/migrator-bench.XXXXXX")
cluster=
finish() {
    [[ -z $cluster ]] || "$root/tests/cluster" stop "$cluster"
    rm -rf "$dir"
}
trap finish EXIT
cd "$dir"

server=${MIGRATOR_TEST_POSTGRES:-}
if [[ $backend == postgres && -z $server ]]; then
    read -r cluster server < <("$root/tests/cluster" start $$)
fi

# A project with one script of $1 statements, in ./$1.
make() {
    mkdir -p "$1/migrations"
    {
        echo "-- migrator: transaction = off"
        echo "CREATE TABLE a (x integer);"
        seq -f 'INSERT INTO a (x) VALUES (%.0f);' 2 "$1"
    } >"$1/migrations/1_a.up.sql"
    echo "DROP TABLE a;" >"$1/migrations/1_a.down.sql"
}

# An empty database, whose url is left in MIGRATOR_URL.
fresh() {
    if [[ $backend == sqlite ]]; then
        rm -f app.db*
        export MIGRATOR_URL=sqlite:$dir/app.db
    else
        psql -Xq "$server" -c "DROP DATABASE IF EXISTS migrator_bench" -c "CREATE DATABASE migrator_bench" 2>/dev/null
        export MIGRATOR_URL=${server%/*}/migrator_bench
    fi
}

once() {
    case $what in
    run) "$migrator" -q upgrade ;;
    sql) "$migrator" upgrade --sql ;;
    esac
}

# Bytes of what is recorded, with its indexes and texts.
recorded() {
    case $backend-$what in
    *-sql) wc -c <out ;;
    sqlite-*) sqlite3 app.db "SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%migrator_version%'" ;;
    postgres-*) psql -XAtq "$MIGRATOR_URL" -c "SELECT pg_total_relation_size('migrator_version')" ;;
    esac
}

for size in $sizes; do make "$size"; done
for _ in $(seq "$runs"); do
    for size in $sizes; do
        fresh
        begin=$EPOCHREALTIME
        (cd "$size" && touch migrator.toml && once) >out
        awk "BEGIN { print $EPOCHREALTIME - $begin }" >>"$size.times"
        recorded >"$size.bytes"
    done
done
first=
for size in $sizes; do
    best=$(sort -g "$size.times" | head -1)
    first=${first:-$(awk "BEGIN { print $best / $size }")}
    awk "BEGIN { printf \"%6d statements  %7.2f s  ratio %.2f  %d KB recorded\n\", \
        $size, $best, $best / $size / $first, $(cat "$size.bytes") / 1024 }"
done
