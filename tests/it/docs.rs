//! The documentation agrees with the program: codes, options, keys and headers.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::common::{does_something, listed_commands};
use migrator::internals::{
    lint::{Example, Rule, rules},
    report::codes::CODES,
    schema::Facts,
};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The README and all pages below docs/.
fn pages() -> Vec<(String, String)> {
    let mut pages = vec!["README.md".to_owned()];
    for dir in ["docs", "docs/commands", "docs/lint"] {
        for entry in fs::read_dir(root().join(dir)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            if Path::new(&name).extension().is_some_and(|it| it == "md") {
                pages.push(format!("{dir}/{name}"));
            }
        }
    }
    pages.sort();
    pages.into_iter().map(|page| (read(&page), page)).collect()
}

/// The part of a page under the heading `heading`, up to the next one.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let start = page
        .find(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("there is no section {heading:?}"));
    let text = &page[start + heading.len() + 2..];
    &text[..text.find("\n## ").unwrap_or(text.len())]
}

/// An option without a value that may be left out, as in `--seed[=NUMBER]`.
fn without_value(word: &str) -> String {
    word.split('[').next().unwrap_or(word).to_owned()
}

/// The words in code style of the first column of a section's tables.
fn first_column(section: &str) -> BTreeSet<String> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.filter_map(|row| row.split(" |").next())
        .flat_map(|cell| cell.split(['`', ' ', ',']))
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// `text` folded to lines of at most 120 characters.
fn folded(text: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if line.chars().count() + word.chars().count() >= 120 {
            lines.push(word.to_owned());
        } else {
            let space = if line.is_empty() { "" } else { " " };
            line.push_str(&format!("{space}{word}"));
        }
    }
    lines.join("\n")
}

const ERRORS: &str = "\
# Errors

Every error has a code, one sentence, its place where there is one, and a hint where there is something to do. The exit
status is the one for a run that changed nothing; where revisions or statements are done already, it is 4.
";

/// With UPDATE_DOCS set, the page is written.
#[test]
fn the_page_of_errors_lists_exactly_the_codes() {
    let mut page = ERRORS.to_owned();
    for code in CODES {
        page.push_str(&format!(
            "\n## {}: {}\n\n{}\n\nExit status {}.\n",
            code.id,
            code.title,
            folded(code.explanation),
            code.exit.status(),
        ));
    }
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join("docs/errors.md"), &page).unwrap();
    }
    assert!(
        read("docs/errors.md") == page,
        "docs/errors.md is not up to date: UPDATE_DOCS=1 tests/run --test it -- docs::"
    );
}

#[test]
fn codes_that_pages_name_exist() {
    let is_code = |word: &str| {
        word.len() == 4 && word.starts_with('M') && word[1..].bytes().all(|b| b.is_ascii_digit())
    };
    let mut found = 0;
    for (text, page) in pages() {
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            if is_code(word) {
                found += 1;
                assert!(CODES.iter().any(|code| code.id == word), "{page}: {word}");
            }
        }
    }
    assert!(found >= CODES.len(), "{found}");
}

fn help(command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_migrator"))
        .arg("help")
        .args(command.split_whitespace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{command}");
    String::from_utf8(output.stdout).unwrap()
}

/// Options such as `-m` and `--message` that a help text explains: less indented than the explanations.
fn options(help: &str) -> BTreeSet<String> {
    let is_option = |line: &&str| {
        let indent = line.len() - line.trim_start().len();
        (1..10).contains(&indent) && line.trim_start().starts_with('-')
    };
    help.lines()
        .filter(is_option)
        .flat_map(|line| line.split([' ', ',']))
        .filter(|word| word.starts_with('-') && !matches!(*word, "-h" | "--help"))
        .map(without_value)
        .collect()
}

/// Every command with its own options, those of `db` as `db create`; the global ones under the empty name.
fn commands() -> BTreeMap<String, BTreeSet<String>> {
    let global = options(&help(""));
    let mut commands = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(command) = waiting.pop() {
        let text = help(&command);
        let names = listed_commands(&text);
        if names.is_empty() {
            commands.insert(command, &options(&text) - &global);
            continue;
        }
        if does_something(&text, &command) {
            commands.insert(command.clone(), &options(&text) - &global);
        }
        waiting.extend(
            names
                .iter()
                .map(|name| format!("{command} {name}").trim().to_owned()),
        );
    }
    commands.insert(String::new(), global);
    commands
}

/// Rows of a table with every command of `help`, those of `db` as `db create`, and what it says of each.
fn rows(help_text: &str, parent: &str) -> String {
    let mut rows = String::new();
    for name in listed_commands(help_text) {
        let about = help_text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("  {name} ")))
            .unwrap()
            .trim();
        let name = format!("{parent} {name}").trim().to_owned();
        let own = help(&name);
        let has_page = listed_commands(&own).is_empty() || does_something(&own, &name);
        if has_page {
            let file = name.replace(' ', "-");
            rows += &format!("| [`{name}`](commands/{file}.md) | {about} |\n");
        }
        if !listed_commands(&own).is_empty() {
            rows += &self::rows(&own, &name);
        }
    }
    rows
}

/// With UPDATE_DOCS set, the list is written.
#[test]
fn the_list_of_commands_is_that_of_the_help() {
    let text = help("");
    let (groups, _) = text.split_once("\nGlobal options:\n").unwrap();
    let mut list = String::new();
    for group in groups.split("\n\n").filter(|it| it.contains("\n  ")) {
        let (title, _) = group.trim_start().split_once(":\n").unwrap();
        let rows = rows(group, "");
        list += &format!("\n### {title}\n\n| command | what it does |\n|---|---|\n{rows}");
    }
    let page = read("docs/commands.md");
    let heading = "## Every command\n";
    let start = page.find(heading).unwrap() + heading.len();
    let expected = format!("{}{list}", &page[..start]);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join("docs/commands.md"), &expected).unwrap();
    }
    assert!(
        read("docs/commands.md") == expected,
        "docs/commands.md is not up to date: UPDATE_DOCS=1 tests/run --test it -- docs::"
    );
}

#[test]
fn every_command_has_a_page_with_every_option() {
    let options_of = |text: &str| {
        let mut words = first_column(text);
        words.retain(|word| word.starts_with('-'));
        words.iter().map(|word| without_value(word)).collect()
    };
    let overview = read("docs/commands.md");
    let global = options_of(section(&overview, "## Global options"));
    let mut documented = BTreeMap::from([(String::new(), global)]);
    for (text, page) in pages() {
        let Some(file) = page.strip_prefix("docs/commands/") else {
            continue;
        };
        let name = text.lines().next().unwrap().strip_prefix("# migrator ");
        let name = name.unwrap_or_else(|| panic!("{page} begins with another title"));
        assert_eq!(file, format!("{}.md", name.replace(' ', "-")));
        assert!(overview.contains(&format!("| [`{name}`](commands/{file}) |")));
        documented.insert(name.to_owned(), options_of(&text));
    }
    assert_eq!(documented, commands());
}

#[test]
fn commands_that_pages_run_exist() {
    let commands = commands();
    let mut found = 0;
    for (text, page) in pages() {
        let lines = text.lines().map(|line| line.trim_start());
        for line in lines.filter_map(|line| line.strip_prefix("$ migrator ")) {
            // What follows `--` is another program's.
            let words: Vec<_> = line.split(' ').take_while(|word| *word != "--").collect();
            let pairs = words.windows(2).map(|pair| pair.join(" "));
            let mut names = pairs.chain(words.iter().map(|word| (*word).to_owned()));
            let name = names.find(|name| commands.contains_key(name));
            let name = &name.unwrap_or_else(|| panic!("{page}: {line}"));
            for option in words.iter().filter(|word| word.starts_with("--")) {
                let known = commands[name].contains(*option) || commands[""].contains(*option);
                assert!(known, "{page}: {line}");
            }
            found += 1;
        }
    }
    assert!(found > commands.len());
}

/// What stands between `before` and `after` in lines of source.
fn between<'a>(source: &'a str, before: &str, after: &str) -> Vec<&'a str> {
    let lines = source.lines().map(str::trim_start);
    let found: Vec<_> = lines
        .filter_map(|line| line.strip_prefix(before)?.split(after).next())
        .collect();
    assert!(!found.is_empty(), "{before}");
    found
}

#[test]
fn the_page_of_the_configuration_has_every_key() {
    let page = read("docs/configuration.md");
    let source = read("src/project/keys.rs");
    for (section_name, sign) in [
        ("migrator", "Migrator"),
        ("postgres", "Postgres"),
        ("backup", "Backup"),
    ] {
        let keys = between(&source, &format!("key({sign}, \""), "\"");
        let keys: BTreeSet<_> = keys.into_iter().map(str::to_owned).collect();
        let heading = format!("## Keys of [{section_name}]");
        assert_eq!(first_column(section(&page, &heading)), keys);
    }
}

#[test]
fn the_page_of_the_configuration_has_every_parameter_and_variable_of_a_connection() {
    let page = read("docs/configuration.md");
    let source = read("src/database/postgres/parameters.rs");
    let table = section(&page, "### Connection parameters");
    for name in between(&source, "parameter(\"", "\"") {
        assert!(table.contains(&format!("`{name}`")), "{name}");
    }
    let rest = source.split("Some(\"PG").skip(1);
    let variables: Vec<_> = rest.filter_map(|rest| rest.split('"').next()).collect();
    assert!(variables.len() > 20);
    for name in variables {
        assert!(table.contains(&format!("`PG{name}`")), "PG{name}");
    }
}

#[test]
fn the_page_of_scripts_has_every_header() {
    let source = read("src/revision/header.rs");
    let names = between(&source, "Key { name: ", ",");
    let headers: BTreeSet<_> = names
        .into_iter()
        .map(|name| match name.strip_prefix('"') {
            Some(literal) => literal.trim_end_matches('"').to_owned(),
            None => {
                let line = format!("const {name}: &str = \"");
                let start = source.find(&line).unwrap() + line.len();
                source[start..].split('"').next().unwrap().to_owned()
            }
        })
        .collect();
    let page = read("docs/scripts.md");
    assert_eq!(first_column(section(&page, "## Headers")), headers);
}

#[test]
fn the_page_of_the_library_shows_the_example() {
    let page = read("docs/library.md");
    let code = page.split("```rust\n").nth(1).unwrap();
    assert_eq!(
        code.split("```").next().unwrap(),
        read("examples/embedded.rs")
    );
}

/// Alembic's subcommands with their flags; the global ones under the empty name.
const ALEMBIC: &[(&str, &str)] = &[
    ("init", "-t --package"),
    ("list_templates", ""),
    (
        "revision",
        "-m --autogenerate --sql --head --splice --branch-label --version-path --rev-id --depends-on",
    ),
    ("merge", "-m"),
    ("upgrade", "--sql --tag"),
    ("downgrade", "--sql --tag"),
    ("stamp", "--sql --tag --purge"),
    ("ensure_version", ""),
    ("current", "-v --check-heads"),
    ("check", ""),
    ("history", "-r -v -i"),
    ("heads", "-v --resolve-dependencies"),
    ("branches", "-v"),
    ("show", ""),
    ("edit", ""),
    ("", "-c -n -x --raiseerr -q"),
];

/// Whether the help knows `command`, or an option of it or of all.
fn in_help(commands: &BTreeMap<String, BTreeSet<String>>, words: &str) -> bool {
    let (command, option) = match words.split_once(' ') {
        Some((command, option)) => (command, option),
        None if words.starts_with('-') => ("", words),
        None => {
            let group = format!("{words} ");
            return commands.contains_key(words)
                || commands.keys().any(|name| name.starts_with(&group));
        }
    };
    let own = |command| {
        commands
            .get(command)
            .is_some_and(|own| own.contains(option))
    };
    own(command) || (commands.contains_key(command) && own(""))
}

#[test]
fn the_page_for_users_of_alembic_has_all_of_it() {
    let page = read("docs/alembic.md");
    let table = section(&page, "## Commands and flags");
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .map(|row| {
            row.split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect()
        })
        .collect();
    let named: Vec<_> = rows.iter().map(|row| row[0].to_owned()).collect();
    let mut expected = Vec::new();
    for (command, flags) in ALEMBIC {
        expected.extend((!command.is_empty()).then(|| (*command).to_owned()));
        let flags = flags.split_whitespace();
        expected.extend(flags.map(|flag| format!("{command} {flag}").trim().to_owned()));
    }
    assert_eq!(named, expected);
    let left_out = rows.iter().filter(|row| row[2] == "left out");
    assert!(left_out.count() <= 5);
    for row in &rows {
        assert!(["same", "better", "left out"].contains(&row[2]), "{row:?}");
        assert_eq!(row[1].is_empty(), row[2] == "left out", "{row:?}");
        assert!(
            row[2] == "same" || !row[3].is_empty(),
            "{row:?}: how, or why?"
        );
    }
}

#[test]
fn what_the_page_for_users_of_alembic_names_exists() {
    let page = read("docs/alembic.md");
    let table = section(&page, "## Commands and flags");
    let commands = commands();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cell = row.split('|').nth(2).unwrap();
        names.extend(cell.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    let also = table.split("Not in Alembic:").nth(1).unwrap();
    names.extend(
        also.split('`')
            .skip(1)
            .step_by(2)
            .map(|name| match name.split_once(' ') {
                Some((option, _)) => option.to_owned(),
                None => name.to_owned(),
            }),
    );
    assert!(names.len() > 30, "{names:?}");
    for name in names {
        assert!(in_help(&commands, &name), "{name}");
    }
}

#[test]
fn links_between_pages_lead_somewhere() {
    let mut found = 0;
    for (text, page) in pages() {
        let folder = root().join(&page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.starts_with("http") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if file.is_empty() {
                root().join(&page)
            } else {
                folder.join(file)
            };
            assert!(target.exists(), "{page}: {link}");
            if !anchor.is_empty() {
                let target = fs::read_to_string(target).unwrap();
                let headings = target.lines().filter(|line| line.starts_with('#'));
                let anchors: Vec<_> = headings.map(anchor_of).collect();
                assert!(anchors.iter().any(|it| it == anchor), "{page}: {link}");
            }
            found += 1;
        }
    }
    assert!(found > 10);
}

#[test]
fn every_page_is_in_the_summary_of_the_site() {
    let summary = read("packaging/SUMMARY.md");
    let links = summary.split("](").skip(1);
    let links: Vec<_> = links.filter_map(|link| link.split(')').next()).collect();
    for (_, page) in pages() {
        let times = links.iter().filter(|link| **link == page).count();
        assert_eq!(times, 1, "{page}: add it to packaging/SUMMARY.md");
    }
    for link in links {
        assert!(root().join(link).is_file(), "packaging/SUMMARY.md: {link}");
    }
}

#[test]
fn the_readme_is_a_front_door() {
    let lines = read("README.md").lines().count();
    assert!(lines < 250, "{lines} lines: move the rest to docs/");
}

/// The actions of the workflows are named by commits, which nobody can move.
#[test]
fn workflows_name_actions_by_commits() {
    let mut found = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let uses = text.lines().filter_map(|line| line.split_once("uses: "));
        for (_, action) in uses {
            let commit = action.split_once('@').map_or("", |(_, rest)| rest);
            let commit = commit.split_whitespace().next().unwrap_or_default();
            let is_commit = commit.len() == 40 && commit.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(is_commit, "{}: {action}", path.display());
            found += 1;
        }
    }
    assert!(found > 5, "{found}");
}

/// As GitHub makes it of a heading.
fn anchor_of(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// With UPDATE_DOCS set, the section is written.
#[test]
fn the_page_of_the_schema_lists_every_attribute() {
    const HEADING: &str = "\n## Coverage\n";
    const END: &str = "change with the object.\n";
    let page = read("docs/schema.md");
    let start = page.find(HEADING).expect("a section Coverage");
    let end = start + page[start..].find(END).expect("its introduction") + END.len();
    let mut expected = page[..end].to_owned();
    for (title, of_sqlite) in [("PostgreSQL", false), ("SQLite", true)] {
        expected.push_str(&format!(
            "\n### {title}\n\n| facts | attributes |\n|---|---|\n"
        ));
        for (name, attributes) in Facts::ATTRIBUTES {
            if name.starts_with("SQLite") == of_sqlite {
                let attributes: Vec<String> =
                    attributes.iter().map(|name| format!("`{name}`")).collect();
                expected.push_str(&format!("| {name} | {} |\n", attributes.join(", ")));
            }
        }
    }
    let rest = page[end..].find("\n## ").map_or("", |at| &page[end + at..]);
    expected.push_str(rest);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(root().join("docs/schema.md"), &expected).unwrap();
    }
    assert!(
        read("docs/schema.md") == expected,
        "docs/schema.md is not up to date: UPDATE_DOCS=1 tests/run --test it -- docs::"
    );
}

/// What is wrong, when it is found, and what to do, of a rule of lint.
fn rule_page(rule: &Rule) -> String {
    let script = |example: &Example| match example.before {
        "" => example.sql.to_owned(),
        before => format!("{before}\n\n-- In a later revision:\n{}", example.sql),
    };
    let dialects: Vec<String> = rule.dialects.iter().map(ToString::to_string).collect();
    let severity = match rule.is_on {
        true => rule.severity.name(),
        false => "off unless it is configured",
    };
    let allowed = rule.allowed_in.map_or_else(String::new, |phase| {
        format!(" Silent in a revision with `phase = {}`.", phase.name())
    });
    let safe = match rule.safe.ends_with('.') {
        true => folded(rule.safe),
        false => format!("```sql\n{}\n```", rule.safe),
    };
    format!(
        "# {}: {}\n\n{}\n\n{}\n\nClass {}, {severity}; {}.{allowed} [All rules](rules.md).\n\n## Safe form\n\n{safe}\n\n\
         ## Not reported\n\n{}\n\n## Found\n\n```sql\n{}\n```\n\n## Not found\n\n```sql\n{}\n```\n",
        rule.code,
        rule.name,
        folded(&format!("{}.", capitalized(rule.summary))),
        folded(rule.docs),
        rule.class.name(),
        dialects.join(" and "),
        folded(rule.silent),
        script(&rule.bad),
        script(&rule.good),
    )
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string());
    format!("{}{}", first.unwrap_or_default(), chars.as_str())
}

const RULES: &str = "\
# Rules of lint

`migrator explain RULE` prints a page. [Lint](../lint.md) says how rules are suppressed and configured.

| code | rule | what is wrong | class | |
|---|---|---|---|---|
";

/// With UPDATE_DOCS set, the pages are written.
#[test]
fn every_rule_of_lint_has_its_page() {
    let mut pages = BTreeMap::new();
    let mut list = RULES.to_owned();
    for rule in rules::ALL {
        let dialects: Vec<String> = rule.dialects.iter().map(ToString::to_string).collect();
        list.push_str(&format!(
            "| {} | [`{}`]({}.md) | {} | {} | {} |\n",
            rule.code,
            rule.name,
            rule.name,
            rule.summary,
            rule.class.name(),
            dialects.join(", ")
        ));
        pages.insert(format!("docs/lint/{}.md", rule.name), rule_page(rule));
    }
    pages.insert("docs/lint/rules.md".to_owned(), list);
    let is_update = std::env::var_os("UPDATE_DOCS").is_some();
    if is_update {
        fs::create_dir_all(root().join("docs/lint")).unwrap();
    }
    for (path, page) in &pages {
        if is_update {
            fs::write(root().join(path), page).unwrap();
        }
        assert!(
            read(path) == *page,
            "{path} is not up to date: UPDATE_DOCS=1 tests/run --test it -- docs::"
        );
    }
    let present = fs::read_dir(root().join("docs/lint")).unwrap();
    assert_eq!(present.count(), pages.len());
}
