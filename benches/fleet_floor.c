/* What a fleet of SQLite files costs at least: each is opened once.
 *
 *   fleet_floor read FILE_OF_PATHS      reads what tells the state of a file
 *   fleet_floor write FILE_OF_PATHS     reads it, and runs one revision with its records in a transaction
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void fail(const char *what, sqlite3 *db) {
    fprintf(stderr, "%s: %s\n", what, db ? sqlite3_errmsg(db) : "");
    exit(1);
}

static void run(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK) fail(sql, db);
}

int main(int argc, char **argv) {
    if (argc != 3) fail("usage", NULL);
    int writes = strcmp(argv[1], "write") == 0;
    FILE *paths = fopen(argv[2], "r");
    if (!paths) fail(argv[2], NULL);
    char path[4096];
    unsigned long long sum = 0, rows = 0;
    while (fgets(path, sizeof path, paths)) {
        path[strcspn(path, "\n")] = 0;
        sqlite3 *db;
        sqlite3_stmt *statement;
        if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) fail(path, db);
        if (writes) run(db, "BEGIN IMMEDIATE");
        const char *sql = "SELECT sequence, revision, up_checksum, state FROM migrator_version ORDER BY sequence";
        if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) fail(sql, db);
        while (sqlite3_step(statement) == SQLITE_ROW) {
            rows++;
            sum += (unsigned long long)sqlite3_column_int64(statement, 0);
            for (int column = 1; column < 4; column++) {
                const unsigned char *text = sqlite3_column_text(statement, column);
                for (int at = 0; text && text[at]; at++) sum = sum * 31 + text[at];
            }
        }
        sqlite3_finalize(statement);
        if (writes) {
            run(db, "CREATE TABLE pending_one (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
            run(db, "INSERT INTO migrator_version (sequence, revision, kind, message, parents, depends_on, up_checksum, "
                    "down_checksum, down_script, state, started_at, applied_at, duration_ms, applied_by, tool_version, up_script) "
                    "SELECT max(sequence) + 1, '20270101000000', 'revision', message, parents, depends_on, up_checksum, "
                    "down_checksum, down_script, state, started_at, applied_at, duration_ms, applied_by, tool_version, up_script "
                    "FROM migrator_version");
            run(db, "INSERT INTO migrator_version_log (at, event, revision, message, outcome, duration_ms, actor, tool_version) "
                    "VALUES ('2026-01-01T00:00:00.000Z', 'upgrade', '20270101000000', 'x', 'ok', 1, 'x', 'x')");
            run(db, "COMMIT");
        }
        sqlite3_close(db);
    }
    printf("%llu %llu\n", rows, sum);
    return 0;
}
