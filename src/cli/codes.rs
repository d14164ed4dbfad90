use super::Exit;

/// An error code: what it stands for, and how the process ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// `M` and three digits.
    pub id: &'static str,
    /// What it stands for, in a few words.
    pub title: &'static str,
    /// The exit status when nothing was changed.
    pub exit: Exit,
    /// What it means and what to do, in a few sentences.
    pub explanation: &'static str,
}

macro_rules! codes {
    ($($id:ident $exit:ident $title:literal $explanation:literal)*) => {
        $(#[doc = $title] pub const $id: Code = Code {
            id: stringify!($id),
            title: $title,
            exit: Exit::$exit,
            explanation: $explanation,
        };)*

        /// Every code there is, in order.
        pub const CODES: &[Code] = &[$($id),*];
    };
}

codes! {
    M001 Usage "wrong usage"
        "The command line can't be understood. `migrator help COMMAND` lists what a command takes."
    M002 Failed "the system refused something"
        "The operating system refused something migrator needs, such as starting its threads or reading the working directory."
    M003 Failed "the output can't be written"
        "Something could not be written to standard output, as on a full disk: what has arrived there may end in its middle. The exit status is 4 when the command had changed a database or files before. A pipe whose reader has gone (`| head`) is no error."

    M101 Usage "no configuration file"
        "The file given with --config does not exist or can't be read. Without --config, migrator.toml is looked for upwards from the working directory."
    M102 Usage "the configuration is not TOML"
        "migrator.toml must be valid TOML. The message shows where reading stopped."
    M103 Usage "unknown key"
        "migrator.toml has a key or section that does not exist. Unknown keys are refused because a misspelt one would otherwise be ignored silently."
    M104 Usage "wrong value"
        "A key has a value of the wrong type or one that is not allowed."
    M105 Usage "undefined variable"
        "A value names a variable as ${NAME} that is neither in the process environment nor in the .env file beside the configuration."
    M106 Usage "unknown environment"
        "The environment chosen with -n has no [environments.NAME] section."
    M107 Usage "no database given"
        "No url was found. It is looked for in --url, in the environment chosen with -n, in MIGRATOR_URL and DATABASE_URL, in .env, and in migrator.toml. With -n, only --url and the environment's own section count, so that a name never leads to another database."
    M108 Usage "the url can't be understood"
        "A url begins with sqlite: or postgres:. Passwords with special characters must be percent-encoded: @ is %40, / is %2F, : is %3A."
    M109 Usage ".env can't be read"
        "The .env file beside the configuration has a line that is not NAME=value."
    M110 Usage "a template can't be used"
        "A template of the project has an error, or there is no template of that name."
    M111 Failed "something is in the way"
        "A file that would be written exists already. migrator overwrites nothing."

    M112 Failed "not confirmed"
        "Something that can't be taken back was to be confirmed and was not. On a protected database `downgrade`, `redo` and `stamp` ask for the database's name. `db drop` asks for it everywhere, and `repair` asks before it records anything. Without a terminal they need --yes."

    M201 Usage "no migrations directory"
        "The directory with the scripts does not exist. `migrator init` makes one; `migrations` in migrator.toml says where it is."
    M202 Failed "bad file name"
        "A script is named ID_slug.up.sql or ID_slug.down.sql, where ID is digits, or numbers with dots between them; a repeatable one R_slug.sql. A .sql file that does not fit is refused, since a script skipped silently breaks a later one."
    M203 Failed "duplicate revision"
        "Two revisions have the same id by value (007 is 7), or one revision has two scripts of one direction. Give one of them a new id."
    M204 Failed "a script without its partner"
        "A down script belongs to an up script of the same id and slug."
    M205 Failed "bad encoding"
        "Scripts are UTF-8, with or without a byte order mark, with LF or CRLF line ends and without NUL bytes."
    M206 Failed "a script can't be read"
        "A file of the migrations directory can't be read, or is no file."
    M207 Failed "bad header"
        "Headers are lines `-- migrator: key = value` in the comment block at the top of a script. Unknown, repeated or misplaced ones are refused."
    M208 Failed "missing parent"
        "A script's `revises` or `depends-on` names a revision that the directory does not have."
    M209 Failed "circle in the history"
        "Revisions revise or depend on each other in a circle, so none of them can come first."
    M210 Failed "irreversible, but with a down script"
        "A revision declares itself irreversible and has a down script as well. Remove one of the two."
    M211 Failed "duplicate label"
        "A label names one branch, so only one revision can carry it."

    M220 Usage "a directory of which tool?"
        "The names of the files could be of several tools, which read them in different ways. `layout` in migrator.toml says whose they are; docs/moving-in.md tells the layouts apart."
    M221 Failed "a name that the layout does not have"
        "A .sql file is not called as the tool calls its scripts. That tool may skip it; here a script that is skipped silently breaks a later one. Rename it, or name it in `leave-out`, which takes names with commas between them, and `*.go` for all that end so."
    M222 Failed "a step that is not SQL"
        "The tool runs this step as a program (Go, Rust, Java) or in a language of its own, and migrator runs SQL only. Write the step as SQL under the same id; or, when its effect is in the database by other means, name the file in `leave-out`."
    M223 Failed "bad marker"
        "The markers of the tool in this file (such as `-- +goose Up`) are missing, twice there, in the wrong order or unknown. What they say decides what runs, so nothing is guessed."
    M224 Failed "a feature without a like"
        "The script uses a feature of its tool that migrator has no like of, such as templates or callbacks. It would run as something else than what was meant."
    M225 Failed "bad settings of a script"
        "The file with the settings of a script (`metadata.toml` of diesel, `.sql.conf` of Flyway) says something that has no like here."
    M226 Failed "another order than the tool's"
        "The tool runs its files in the order of their names, migrator in the order of their ids, number by number. Here they differ, as with `2024-1-9` and `2024-1-10`, so that the directory would be run in an order it was never run in."
    M227 Usage "nothing to leave out"
        "`leave-out` names a file that is not in the directory. It may be mistyped, and then the file that was meant would run."
    M228 Failed "a directory of another tool is not written to"
        "`revision`, `merge` and `rebase` write scripts named and headed as migrator's own, which would be something else, or nothing, to the tool that the directory belongs to. Write the file as that tool does, or leave its layout for good: `migrator convert --to DIR` writes all scripts out as migrator's own."

    M240 Failed "duplicate repeatable script"
        "Two repeatable scripts have the same name. Of scripts that are compiled into a program only the last part of a path is the name."
    M241 Failed "a header of revisions in a repeatable script"
        "A repeatable script (R_slug.sql) is no step of the history and always one transaction with its record, so that it has no parents, no label, no way back and no `transaction = off`."
    M242 Failed "can't be in a repeatable script"
        "A repeatable script is one transaction together with its record. What the database refuses inside of a transaction, and transaction control, belongs into a revision with `transaction = off`."
    M243 Failed "a placeholder without a value"
        "A script with the header `vars = on` has a placeholder :{name}, and nothing says what it stands for. Values come from --var NAME=VALUE, from [environments.NAME.vars] and from [vars] in migrator.toml. Nothing was run."
    M244 Failed "a malformed placeholder"
        "In a script with the header `vars = on`, :{ begins a placeholder: a name of letters, digits, `_`, `-` and `.`, and a closing brace."
    M245 Usage "a bad value for a placeholder"
        "--var takes NAME=VALUE, and [vars] names with strings, whole numbers or booleans. A name begins with a letter or `_`; then come letters, digits, `_`, `-` and `.`."

    M301 Failed "something in a script never ends"
        "A quote, comment, dollar quote, COPY block or body is open at the end of the script. Everything after its start would be swallowed."
    M302 Failed "a shell's command in a script"
        "Lines such as \\d or .schema are commands of psql or of the sqlite3 shell, not SQL. The database does not understand them."
    M303 Failed "transaction control in a script"
        "A script runs in one transaction together with its record, so BEGIN, COMMIT and ROLLBACK can't stand in its middle. One BEGIN … COMMIT around the whole script is understood. With `-- migrator: transaction = off` a script runs statement by statement, and a BEGIN … COMMIT in it is one step of its progress."
    M304 Failed "can't run in a transaction"
        "The database refuses this statement inside of a transaction. Put `-- migrator: transaction = off` at the top of the script; it then runs statement by statement with its progress recorded."
    M305 Failed "unbalanced savepoints"
        "Every SAVEPOINT of a script must be released in it, and only those can be released or rolled back to."
    M306 Failed "a session's object in a resumable script"
        "A `transaction = off` script may have to go on in another session, where temporary tables, LISTEN and WITH HOLD cursors are gone. Use an ordinary table and drop it at the end."
    M307 Failed "COPY TO STDOUT"
        "A migration has no place to copy data out to."
    M308 Failed "PRAGMA foreign_keys inside of a transaction"
        "SQLite ignores PRAGMA foreign_keys inside of a transaction. Use the header `-- migrator: foreign-keys = on|off`. It is off by default while a script runs, and verified before the commit."
    M309 Failed "can't share one transaction"
        "With --transaction all the whole run is one transaction. That can't hold `transaction = off` scripts, nor scripts that disagree on foreign keys."

    M315 Failed "an option of batch"
        "`-- migrator: batch` takes pause=DURATION, max-rows-per-second=N, max-batches=N and max-lag=DURATION, each once, separated by spaces. max-lag asks PostgreSQL's replicas, so SQLite has none."
    M316 Failed "a batch in the wrong place"
        "`-- migrator: batch` stands on a line of its own, right above the one statement that it repeats, in a `transaction = off` script and outside of BEGIN … COMMIT: each batch is a transaction of its own."
    M317 Failed "a statement that can't be repeated"
        "A batch is an INSERT, UPDATE, DELETE or MERGE whose table can be told: it is repeated until it changes no row. A SELECT over a WITH that changes rows counts the rows of the query. Make the change the statement itself: `WITH … UPDATE …`."
    M318 Failed "a batch without an end"
        "An UPDATE or DELETE is stopped when it has changed more rows than twice those of its table at the start. An INSERT or MERGE adds rows, so that the table says nothing of how many are right: give max-batches=N."
    M319 Failed "no script for a batch"
        "A batch is repeated for as long as it changes rows, with its progress in the version table. psql and sqlite3 have no loop that could do that, so `--sql` can't write it down."

    M401 Usage "no such revision"
        "Nothing in the directory or the database matches. A revision is named by its id, by 4 or more leading characters of it, or by its slug."
    M402 Usage "ambiguous revision"
        "More than one revision matches, or a relative target comes to a fork. Name the revision by its id."
    M403 Failed "several heads"
        "Two or more revisions are revised by nobody, so `head` is not one place. Join them with a revision that revises both (`migrator merge -m \"join\"`), move the one that is applied nowhere yet onto the other (`migrator rebase REVISION`), name one of them, or use `heads` for all."
    M404 Usage "a target that goes the wrong way"
        "An upgrade goes up and a downgrade goes down. `stamp` takes no +N or -N, since nothing runs that could be counted; REV+N is a revision like any other."
    M405 Failed "not applied"
        "A downgrade goes to a revision that is applied, or over as many as are applied."
    M406 Failed "no down script"
        "The revision has no down script, neither in the directory nor stored in the version table. Write one, or restore a backup."
    M407 Failed "irreversible"
        "The revision declares that it can't be undone. Restore a backup, or write a new revision that moves forward."
    M408 Failed "out of order"
        "A revision without `revises` sorts before one that is applied, so it was probably merged late. Give it a newer id, or set out-of-order = \"warn\" or \"allow\"."

    M411 Failed "nothing to join"
        "`merge` joins two heads or more. With one head there is nothing to join; a revision that another one revises already is no head, and `migrator revision --head` makes a revision upon it."
    M412 Failed "applied already"
        "A rebase gives revisions new ids, so it moves only what the database does not have applied. Revert it first (`migrator downgrade`), or join the heads instead (`migrator merge`)."
    M413 Failed "can't be moved"
        "The revision can't be moved onto that head: a merge of branches stands in the way, something would depend on itself, or another revision would silently get another parent."
    M414 Failed "a rebase or squash is not finished"
        "A `migrator rebase` or `migrator squash` was interrupted while it exchanged files, so the directory holds a part of the old history and a part of the new one. The next of either completes it; until then nothing else reads the directory."
    M421 Failed "git can't be asked"
        "`check --base` runs the git program on the migrations directory. git has to be installed, and the directory must be in a repository that git lets this user read."
    M422 Usage "no such commit"
        "The repository has no commit of that name. In CI a checkout often has the newest commit only: fetch the base as well (`fetch-depth: 0` of actions/checkout), and name it as it is called there, such as `origin/main`."
    M430 Usage "a range without --sql"
        "A range `A:B` says where a script of `upgrade --sql` or `downgrade --sql` starts. Without --sql the database itself is where it starts."
    M431 Usage "a range that says too little"
        "With a range no database is asked, so its start is a revision, a label or base, and no number of steps. A range of `downgrade` names its end as well, so that nothing is reverted by an oversight."
    M432 Failed "no script for a half-done revision"
        "A `transaction = off` script stopped partway. What became of its last statement is looked up in the database before it goes on, which a script of --sql can't do."
    M461 Usage "no such error code"
        "`migrator explain` lists all codes. They are M and three digits, as in error[M203]."
    M462 Usage "no editor"
        "Neither VISUAL nor EDITOR names a program. They are parted into words as a shell does: EDITOR=\"code --wait\"."
    M463 Failed "the editor failed"
        "The editor could not be started, or it ended with an error. Scripts that were written for it to open are there."
    M470 Failed "nothing to squash"
        "`squash --to REVISION` makes one baseline of that revision and all that it needs, so it needs something."
    M471 Failed "can't be squashed"
        "The revisions can't become one script that does the same: something outside needs one in their middle, what one script sets in its session would reach the next, they disagree on foreign keys, or a transaction asks for a mode."
    M472 Failed "in the middle of what a baseline replaces"
        "A baseline stands for the revisions that its header `replaces` names. This database has applied a part of them, so that neither the baseline nor nothing would be right. Take the scripts from before the squash (an older commit or release), upgrade up to the baseline's id, then go on with these."
    M473 Failed "bad list of replaced revisions"
        "The header `replaces` of a baseline names revisions whose files are gone. One that is still there, or that is named twice, is a mistake."
    M490 Failed "another tool stopped in its middle"
        "The other tool's table marks a migration as failed, dirty or without success. What of it is in the database only you can see. golang-migrate's dirty version is the one whose up script stopped, or the one below a down script that did. With --yes `adopt` counts it as not applied."
    M491 Failed "another tool's checksum does not match"
        "The file is not the one that the other tool has applied, says the checksum that it kept; line ends do not count. With --yes `adopt` records the file as it is now."
    M492 Failed "applied there, missing here"
        "The other tool has applied a migration that the directory does not have. Perhaps its file is on another branch, or it is no SQL. With --yes `adopt` leaves it out."
    M493 Failed "a gap in what is applied"
        "The other tool has passed over a migration and applied a later one. With --yes `adopt` leaves it pending; `upgrade` applies it when out-of-order is \"warn\" or \"allow\"."
    M494 Failed "records are there already"
        "`adopt` writes the first records of a version table. This one has some, so that migrator has been at work here, or an `adopt` before this one."
    M495 Failed "more than one version"
        "golang-migrate keeps the version of a database in one row. A table with more of them was written by something else."
    M496 Partway "the other tool went on meanwhile"
        "The other tool applied or reverted a migration while `adopt` recorded what it had applied. It does not know migrator's lock, so nothing can keep it from that. What was recorded is outdated: throw it away and adopt again, while nothing else migrates the database."

    M501 Failed "an applied script was changed"
        "The up script is not the one that was applied; comments, white space and line ends do not count. Undo the change and write a new revision instead."
    M502 Failed "unknown revisions are applied"
        "The database has revisions applied that this directory does not have. Either it is another project's database, or files are missing."
    M503 Failed "the database is ahead"
        "The database has revisions above all of this directory's: an older release of the application is looking at it. With ahead = \"warn\" upgrade does nothing and succeeds."
    M504 Failed "a revision is in its middle"
        "A `transaction = off` script stopped partway. Statements that are done stay done; the command that began it goes on at the one that stopped. Another command does not pass over it. `migrator repair --mark applied` records it as done, `--mark unapplied` as never begun, after you made it so by hand."
    M505 Failed "newer version table"
        "The version table was made by a newer migrator. Use that one."
    M506 Failed "not a version table"
        "A table of the version table's name exists but is something else, or its content makes no sense. Set `version-table` to another name, or repair it by hand."
    M507 Failed "several version tables"
        "Tables of that name are in several schemas of the search path. Set `version-table = \"schema.name\"` to say which one is meant."
    M508 Failed "the state changed"
        "The version table is not as it was when the plan was made. Someone changed it without the lock. Run the command again."

    M509 Failed "a statement is in doubt"
        "A statement that can't share a transaction with its record was running when the process or the server died. Look whether it took effect, then say so: `migrator repair --statement N --done` goes on after it, `--undone` runs it again."
    M510 Failed "what is done was changed"
        "A `transaction = off` script stopped partway and was changed before the place where it stopped. What was run can't be run differently any more; put it back. What comes after it may change."

    M515 Failed "a batch that does not end"
        "The statement has changed more rows than twice those that its table had at the start, so it changes some again and again: its WHERE does not pass over the rows that are done. What it did is committed. Mend the statement and run the same command again: a changed statement is counted anew, and so is the same one after `migrator repair --statement N --undone`."
    M516 Failed "max-batches are over"
        "The statement was repeated as often as max-batches allows in one run. What it did is committed, and the same command goes on with it, for as many batches again."

    M601 Failed "can't connect"
        "The server can't be reached, or the file can't be opened."
    M602 Failed "no such database"
        "The server is there, but the database is not; or the SQLite file is not there. `upgrade` and `stamp` make a missing SQLite file; `migrator db create` makes either. Reading commands make nothing."
    M603 Failed "not let in"
        "User or password is wrong, or the role may not connect to this database."
    M604 Failed "not a database"
        "The file is something else than a SQLite database."
    M605 Failed "read-only"
        "The database or its directory can't be written."
    M606 Failed "locked by another program"
        "Another program kept the database locked for longer than migrator waits."
    M607 Failed "connection lost"
        "The connection broke. What ran was not committed."
    M608 Partway "outcome unknown"
        "The connection broke during COMMIT and the database could not be asked since. Look at it with `migrator status` before anything else: the revision is either applied completely or not at all."
    M609 Failed "the database failed"
        "The database refused something migrator itself needs. The role that runs it first must be able to make the version table: `GRANT CREATE ON SCHEMA`, or set `version-table = \"schema.name\"` to a schema where it may."
    M610 Failed "a pooler that shares sessions"
        "The url leads to a connection pooler in transaction or statement mode, such as PgBouncer with pool_mode = transaction. The lock that keeps two migrations apart belongs to a session of the server, and there each transaction gets another one: the lock would be lost, or stay behind when migrator has gone. Reading commands work there; for the others connect to the server itself, or to a pool in session mode."

    M611 Failed "in use by others"
        "A database that others are connected to is not dropped. On PostgreSQL `db drop --force` ends their sessions; of a SQLite file it can only be told when another program has it locked, or open in WAL mode."
    M612 Failed "the server refused"
        "The server did not make or drop the database. To make one a role needs CREATEDB; to drop one it has to own it."
    M613 Usage "a database in memory"
        "A database in memory begins and ends with its connection, so that there is nothing to make, drop or wait for."
    M614 Failed "it did not come up in time"
        "`db wait` gave up when its time was over. The message has the last reason; --timeout gives it longer."

    M640 Failed "no records of another tool"
        "`adopt` reads the table in which another tool keeps what it has applied, and there is none under its usual name. On PostgreSQL it is looked for where the search path of the connection leads."
    M641 Usage "records of several tools"
        "The database has the tables of more than one tool. `migrator adopt --from TOOL` says whose records count."
    M642 Failed "not that tool's table"
        "A table has the name under which a tool keeps its records, but not its columns."
    M643 Failed "another tool's table can't be read"
        "The role that migrator connects as may not read the table in which the other tool keeps its records."

    M701 Failed "a statement failed"
        "A statement of a script failed. A script in a transaction is rolled back completely; a `transaction = off` script goes on at that statement when the command is run again."
    M702 Failed "foreign keys are violated"
        "After the script, rows refer to parents that do not exist, and did not before. The script was rolled back."
    M703 Failed "a lock was not to be had"
        "A statement waited for a lock longer than lock-timeout, again and again. Find who holds it, or run when there is less traffic."
    M704 Failed "the record could not be written"
        "The statements ran, but the version table could not be written or the transaction could not be committed, so everything was rolled back."
    M705 Busy "another migrator is running"
        "Another run holds the lock on this version table, and it was not given back in time. The lock ends with its process or session; it can't stay behind."
    M706 Interrupted "interrupted"
        "A signal stopped the command before it did anything."

    M801 CheckFailed "check: several heads"
        "Two or more revisions are revised by nobody, so that `upgrade` would not know where to go. Two branches of development met; join them (`migrator merge`), or move one onto the other (`migrator rebase`)."
    M802 CheckFailed "check: no way back"
        "A revision has no down script and does not say that this is on purpose. Write one, or declare it: `-- migrator: irreversible = REASON`."
    M803 CheckFailed "check: an applied script was changed"
        "A script is not the one that was applied to the database; comments, white space and line ends do not count."
    M804 CheckFailed "check: applied revisions are missing"
        "The database has revisions applied that this directory does not have."
    M805 CheckFailed "check: something is pending"
        "The database does not have every revision of this directory, or the next upgrade would run repeatable scripts. `--pending-ok` allows that, for a check that comes before the upgrade."
    M806 CheckFailed "check: a revision is in its middle"
        "A `transaction = off` script stopped partway in the database."
    M807 CheckFailed "check: out of order"
        "A revision without `revises` sorts before one that is applied; `out-of-order` in migrator.toml says what is to be done about it, and `warn` and `allow` silence this."
    M811 CheckFailed "check: a script of the base was changed"
        "The script exists in the commit that `--base` names, so it may be applied somewhere already, and it is another one now: in what it runs, or in what it revises or depends on. Comments, white space and line ends do not count. Put it back and write a new revision."
    M812 CheckFailed "check: a script of the base is gone"
        "The script exists in the commit that `--base` names, and is not here any more, or not under that name. It may be applied somewhere already. Get it back, or bring this branch up to date with the base."
    M813 CheckFailed "check: a new revision hangs below the base's head"
        "A revision that the base does not have revises one that is not the base's head: the base has gone on since this branch began. `migrator rebase` moves it."
    M814 CheckFailed "check: a new revision sorts before the base's head"
        "A revision that the base does not have has an id that sorts before the base's head, so it looks older than it is. `migrator rebase` gives it a new one."
    M820 Failed "the directory of backups can't be used"
        "Backups are written to `[backup] directory` of migrator.toml, or to --directory; it is made when it is missing. It has to be writable, with room for a whole copy of the database. Nothing is listed before it is whole and on the disk."
    M821 Failed "no pg_dump or pg_restore that fits"
        "Backups of PostgreSQL are made with the pg_dump of the machine, and restored with its pg_restore. pg_dump has to be as new as the server, pg_restore as new as the pg_dump that made the backup. They are looked for on the PATH and where packages put them. They come with PostgreSQL's client programs: `apt-get install postgresql-client-NN`, `dnf install postgresqlNN`, `brew install libpq`."
    M822 Failed "pg_dump or pg_restore failed"
        "The message has what it said. Nothing is left of the backup, and a database that was to be replaced is the old one. A role that is missing on this server can be passed over: `migrator restore --no-owner`."
    M823 Usage "no such backup"
        "A backup is a file and its manifest, NAME and NAME.manifest.json, side by side. `migrator backup list` lists them. A file without a manifest was not made by migrator, or it was copied without it."
    M824 Failed "a manifest can't be read"
        "The manifest beside a backup was changed or damaged, or it was written by a newer migrator. The file itself may be whole: pg_restore takes one that ends with .dump, sqlite3 one that ends with .sqlite; those with .zst after zstd -d."
    M825 CheckFailed "the backup is damaged"
        "The file is not what was written, byte for byte, or it can't be read into a database. Take another one."
    M826 Failed "the database has changed since the backup"
        "Restoring would undo what was written since the backup was made. A SQLite file counts as unchanged when a copy of it is that of the backup, byte for byte; a PostgreSQL database, when no transaction has written anything on its server since. Whatever is not proven counts as changed. With --yes it is replaced, and the old one is kept beside."
    M827 CheckFailed "the restored backup is not what was copied"
        "The backup was read into a database, but tables, rows or the schema are not those of the snapshot that it was made from. The message says which. Take another one."
    M828 Usage "a backup of another kind of database"
        "A backup of SQLite can't be restored to PostgreSQL, nor the other way."

    M850 Failed "the log file can't be written"
        "The file given with --log-file, or named by `log-file` in migrator.toml, can't be opened or written to. Nothing was run. Its directory is not made."
    M860 Failed "a conversion that would change a script"
        "`migrator convert` compares every script it makes with the one it was made of, token for token, and writes nothing when one of them differs. Then this script can't be written as migrator's own; please report it."
    M861 Usage "the directory is not empty"
        "`migrator convert --to DIR` writes a directory that is not there yet, or is empty, so that it never mixes with other files and nothing is written over."
    M862 Usage "a conversion into itself"
        "`migrator convert --to DIR` reads one directory and writes another one. DIR is the one that is read, or lies in it, where the scripts would be read again."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].id < pair[1].id));
    }

    #[test]
    fn every_code_says_what_it_means() {
        for code in CODES {
            assert!(
                code.id.len() == 4 && code.id.starts_with('M'),
                "{}",
                code.id
            );
            assert!(code.explanation.ends_with('.'), "{}", code.id);
            assert!(!code.title.ends_with('.'), "{}", code.id);
        }
    }
}
