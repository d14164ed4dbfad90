#!/usr/bin/env bash
# Backups of large databases beside a writer, against the databases' own tools.
#
#   benches/backup.sh sqlite|postgres [MEGABYTES]
#
# MIGRATOR names the command to measure (target/release/migrator). PostgreSQL comes from tests/cluster.
# Prints the median of each of RUNS (5) alternating runs, their ratio, and the largest resident size.
set -euo pipefail

backend=${1:?sqlite or postgres}
megabytes=${2:-1000}
runs=${RUNS:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
migrator=${MIGRATOR:-$root/target/release/migrator}
dir=$(mktemp -d "${TMPDIR:-/tmp}/migrator-bench.XXXXXX")
writer=
cluster=
finish() {
    [[ -z $writer ]] || kill "$writer" 2>/dev/null || true
    [[ -z $cluster ]] || "$root/tests/cluster" stop "$cluster"
    rm -rf "$dir"
}
trap finish EXIT
cd "$dir"

case $backend in
sqlite)
    export MIGRATOR_URL=sqlite:app.db
    sqlite3 app.db "PRAGMA journal_mode = WAL; CREATE TABLE big (id INTEGER PRIMARY KEY, text);
        CREATE TABLE log (x); CREATE INDEX big_text ON big (substr(text, 1, 8));
        WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < $megabytes * 950)
        INSERT INTO big SELECT x, hex(randomblob(500)) FROM n" >/dev/null
    write() { sqlite3 -cmd '.timeout 5000' app.db "INSERT INTO log VALUES (1)"; }
    # It begins anew with every write of others, and would never end beside the writer.
    native() {
        kill -STOP "$writer"
        sqlite3 app.db ".backup native.db"
        kill -CONT "$writer"
    }
    ;;
postgres)
    read -r cluster server < <("$root/tests/cluster" start $$)
    psql -q "$server" -c "CREATE DATABASE app"
    export MIGRATOR_URL=${server%/postgres}/app
    psql -q "$MIGRATOR_URL" -c "CREATE TABLE big (id integer PRIMARY KEY, text text); CREATE TABLE log (x integer);
        INSERT INTO big SELECT x, (SELECT string_agg(md5(random()::text || x || y), '') FROM generate_series(1, 30) AS m (y))
        FROM generate_series(1, $megabytes * 970) AS n (x)"
    write() { psql -q "$MIGRATOR_URL" -c "INSERT INTO log VALUES (1)"; }
    native() { pg_dump -Fc -f native.dump "$MIGRATOR_URL"; }
    ;;
esac

{ while sleep 0.02; do write >/dev/null 2>&1 || true; done; } &
writer=$!

seconds() {
    local begin=$EPOCHREALTIME
    "$@" >/dev/null
    awk "BEGIN { print $EPOCHREALTIME - $begin }"
}
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }
# The largest resident size of a command and its children, in MB.
resident() { /usr/bin/time -f '%M' -o size "$@" && awk '{ print int($1 / 1024) }' <(tail -1 size); }

for _ in $(seq "$runs"); do
    rm -f native.*
    seconds native >>native.times
    seconds "$migrator" backup --compress none --keep 1 >>ours.times
done
native=$(median <native.times)
ours=$(median <ours.times)
awk "BEGIN { printf \"own tool %.2f s, migrator backup %.2f s: ratio %.2f\n\", $native, $ours, $ours / $native }"

for how in none zstd; do
    resident "$migrator" backup --compress $how --keep 1
    file=$(ls backups/* | grep -v manifest)
    resident "$migrator" backup verify "$file"
    resident "$migrator" --yes restore "$file" --discard-old
done
