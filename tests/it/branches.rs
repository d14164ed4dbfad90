//! Branches end to end on both databases: seeing them, going to them, joining and moving them.

use crate::common::{Backend, Env};

/// 1 - 2, and 1 - 3 - 4 with the label `side`; each makes a table.
fn fork(env: &Env) {
    for (name, headers) in [
        ("1_users", "revises = base"),
        ("2_posts", "revises = 1"),
        ("3_tags", "revises = 1\n-- migrator: label = side"),
        ("4_tag_colours", "revises = 3"),
    ] {
        let table = name.split_once('_').unwrap().1;
        let up = format!("-- migrator: {headers}\nCREATE TABLE {table} (x integer);\n");
        env.revision(name, &up, &format!("DROP TABLE {table};\n"));
    }
}

/// New IDs come from the clock.
fn on_both(name: &str, scenario: impl Fn(&mut Env)) {
    for backend in Backend::ALL {
        let mut env = Env::new(backend);
        fork(&env);
        scenario(&mut env);
        snapshot!(env, name, &[(r"\b20\d{12}", "[NEW]")]);
    }
}

fn up_scripts(env: &mut Env) {
    let files = env.files();
    for file in files.iter().filter(|file| file.ends_with(".up.sql")) {
        let text = std::fs::read_to_string(env.path(file)).unwrap();
        env.note(&format!("{file}: {}", text.replace('\n', " | ")));
    }
}

#[test]
fn branches_are_seen_and_joined() {
    on_both("branches_joined", |env| {
        env.run("branches");
        env.run("branches -v");
        env.run("heads -v");
        env.run("upgrade");
        env.run("revision -m more");
        env.run("merge 2 3 -m Join");
        env.run("merge 2 -m Join");
        env.run("merge 2 posts -m Join");
        env.run("merge -m \"Join posts and tags\" --rev-id 5");
        env.run("merge -m Join");
        env.run("branches --format json");
        env.run("upgrade");
        env.run("downgrade -1");
        env.run("downgrade -1");
        env.run("current");
        env.run("merge 2 4 -m \"Join by name\" --label joined --rev-id 6");
        up_scripts(env);
    });
}

#[test]
fn a_history_without_branches() {
    on_both("no_branches", |env| {
        for file in ["2_posts", "3_tags", "4_tag_colours"] {
            env.remove(&format!("migrations/{file}.up.sql"));
            env.remove(&format!("migrations/{file}.down.sql"));
        }
        env.run("branches");
        env.run("branches -v");
        env.run("rebase 1");
    });
}

#[test]
fn every_form_of_a_target_leads_somewhere() {
    on_both("target_forms", |env| {
        for target in [
            "2",
            "posts",
            "+1",
            "2-1",
            "side@head-1",
            "side@head",
            "4",
            "heads",
        ] {
            env.run(&format!("-q upgrade {target}"));
            env.run("-q current");
            env.run("-q downgrade base");
        }
        env.run("-q upgrade 3");
        env.run("-q upgrade current+1");
        env.run("-q current");
        env.run("-q upgrade 1+1");
        env.run("-q upgrade base+9");
        env.run("-q upgrade heads");
        for target in ["-1", "-1", "side@head-1", "current-1", "1"] {
            env.run(&format!("-q downgrade {target}"));
            env.run("-q current");
        }
        for target in ["side@head", "2+1", "4-1", "heads", "head", "base"] {
            env.run(&format!("-q stamp {target}"));
            env.run("-q current");
        }
        env.run("show side@head-1");
        env.run("show 1+1");
    });
}

#[test]
fn a_branch_is_moved_onto_the_head() {
    on_both("rebase", |env| {
        env.run("-q upgrade 2");
        env.run("rebase 3 --dry-run");
        let before = env.files();
        assert_eq!(env.files(), before);
        env.run("rebase 2");
        env.run("rebase tags");
        up_scripts(env);
        env.run("history");
        env.run("rebase tags");
        env.run("upgrade");
        env.revision("5_more", "-- migrator: revises = 2\nSELECT 1;\n", "");
        env.revision(
            "6_again",
            "-- migrator: revises = 2\n-- migrator: depends-on = 5\nSELECT 1;\n",
            "",
        );
        env.run("rebase tags");
        env.run("rebase more");
        env.run("rebase more --onto again");
        env.run("rebase more --onto posts");
        env.run("rebase more --onto side@head --format json");
        env.run("heads");
        let hidden = env.files().into_iter().any(|file| file.contains("/."));
        assert!(!hidden, "{:?}", env.files());
    });
}

#[test]
fn a_rebase_asks_the_database_unless_told_otherwise() {
    on_both("rebase_asks", |env| {
        env.run("rebase 3 --dry-run --url postgres://nobody@127.0.0.1:1/none");
        env.run("rebase 3 --dry-run --url postgres://nobody@127.0.0.1:1/none --offline");
        env.write("migrator.toml", "[migrator]\n");
        env.run("rebase 3");
        env.run("rebase");
    });
}

/// As a rebase leaves the directory that is killed after it was decided.
#[test]
fn an_interrupted_rebase_is_named_and_completed() {
    on_both("rebase_interrupted", |env| {
        let digest = |text: &[u8]| {
            use sha2::Digest;
            let hash = sha2::Sha256::digest(text);
            hash.iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let old = std::fs::read(env.path("migrations/2_posts.up.sql")).unwrap();
        let new = String::from_utf8(old.clone())
            .unwrap()
            .replace("= 1", "= 4");
        env.write("migrations/.migrator-rebase-0.tmp", &new);
        let journal = format!(
            "{{\"version\": 1, \"files\": [{{\"from\": \"2_posts.up.sql\", \"to\": \"9_posts.up.sql\", \
             \"staged\": \".migrator-rebase-0.tmp\", \"before\": \"{}\"}}]}}",
            digest(&old)
        );
        env.write("migrations/.migrator-rebase.json", journal);
        env.remove("migrations/2_posts.down.sql");
        for command in [
            "history",
            "upgrade",
            "status",
            "check",
            "revision -m x",
            "rebase 2 --dry-run",
        ] {
            env.run(command);
        }
        env.run("rebase 2");
        env.run("history");
        let files = env.files().join("\n");
        env.note(&files);
        assert_eq!(
            std::fs::read_to_string(env.path("migrations/9_posts.up.sql")).unwrap(),
            new
        );
    });
}
