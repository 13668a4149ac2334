//! A plan, its shards, and the release that is assembled from them.

use std::fs;

use crate::support::{entries, fill, image, reference, shop};

#[test]
fn shards_and_one_machine_make_the_same_release() {
    let shop = shop(7, 4000);
    let expected = reference(&shop);
    assert!(shop.ok(["pack", "release.toml", "--plan", "plan.json"]).contains("8 patches to be made"));
    // A plan needs no key, and tells none.
    assert!(!String::from_utf8(shop.read("plan.json")).unwrap().contains("pem"));
    // The same release elsewhere: the same plan.
    fs::create_dir_all(shop.path("a/b")).unwrap();
    fill(&shop, "a/b/", 7, 4000);
    shop.ok(["pack", "a/b/release.toml", "--plan", "a/b/plan.json", "--threads", "3"]);
    assert_eq!(shop.read("a/b/plan.json"), shop.read("plan.json"));

    // One shard by argument, one by the environment; one is lost.
    let said = shop.ok(["work", "plan.json", "--shard", "1/3", "--cache", "store"]);
    assert!(said.starts_with("shard 1/3: ") && said.contains("of 8 patches; ") && said.contains(", 0 were there"), "{said}");
    let output = shop.command(["work", "plan.json", "--cache", "store", "--json"]).envs([("CI_NODE_INDEX", "2"), ("CI_NODE_TOTAL", "3")]).output().unwrap();
    assert!(output.status.success());
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["shard"], answer["there"].as_u64()), (&"2/3".into(), Some(0)));
    let made = entries(&shop, "store").len();
    assert!((4..8).contains(&made), "{made}");
    // Again is nothing.
    assert!(shop.ok(["work", "plan.json", "--shard", "1/3", "--cache", "store"]).contains("; 0 made, "));
    assert_eq!(entries(&shop, "store").len(), made);

    let said = shop.fails(1, ["pack", "release.toml", "--assemble", "plan.json", "-o", "dist", "--cache", "store", "--offline"]);
    assert!(said.contains(&format!("{} of 8 packages could not be made", 8 - made)) && said.contains("run the shards that have not run"), "{said}");
    shop.ok(["pack", "release.toml", "--assemble", "plan.json", "-o", "dist", "--cache", "store"]);
    assert_eq!(shop.tree("dist"), expected, "what the lost shard would have made was made here");
    shop.ok(["work", "plan.json", "--shard", "3/3", "--cache", "store"]);
    shop.ok(["pack", "release.toml", "--assemble", "plan.json", "-o", "dist", "--cache", "store", "--offline"]);
    assert_eq!(shop.tree("dist"), expected);
}

#[test]
fn what_has_changed_since_the_plan_is_refused() {
    let shop = shop(2, 4000);
    shop.ok(["pack", "release.toml", "--plan", "plan.json"]);
    shop.write("old-1.bin", image(50, 4000));
    let said = shop.fails(1, ["work", "plan.json", "--shard", "1/1", "--cache", "store"]);
    assert!(said.contains("old-1.bin was changed"), "{said}");
    let assemble = ["pack", "release.toml", "--assemble", "plan.json", "-o", "dist", "--cache", "store"];
    let said = shop.fails(1, assemble);
    assert!(said.contains("an image or an option of lamp-9.0-from-1.0 is not what was planned") && said.contains("hint: make the plan anew"), "{said}");
    shop.write("old-1.bin", image(1, 4000));
    let release = String::from_utf8(shop.read("release.toml")).unwrap();
    shop.write("release.toml", release.replace("version = \"1.0\"", "version = \"1.0b\""));
    assert!(shop.fails(1, assemble).contains("lamp-9.0-from-1.0b stands where the plan has lamp-9.0-from-1.0"));
    shop.write("release.toml", release + "\n[[old]]\nversion = \"5.0\"\npath = \"old-1.bin\"\n");
    // The same image as another version: nothing more to be made.
    shop.ok(assemble);
    // A plan for another build of the program, and none at all.
    let plan = String::from_utf8(shop.read("plan.json")).unwrap();
    let generation = sealift_delta::GENERATION;
    shop.write("plan.json", plan.replace(generation, "0000000000000000"));
    let said = shop.fails(1, ["work", "plan.json", "--shard", "1/1", "--cache", "store"]);
    assert!(said.contains("(0000000000000000), this is ") && said.contains("hint: run the same build"), "{said}");
    let forged = plan.replacen("\"level\": 22", "\"level\": 1", 1);
    assert_ne!(forged, plan);
    shop.write("plan.json", forged);
    assert!(shop.fails(1, ["work", "plan.json", "--shard", "1/1", "--cache", "store"]).contains("its key is that of another job"));
    shop.write("plan.json", "{}");
    assert!(shop.fails(1, ["work", "plan.json", "--shard", "1/1", "--cache", "store"]).contains("not a plan"));
}

#[test]
fn who_does_not_know_its_shard_is_told() {
    let shop = shop(1, 4000);
    shop.ok(["pack", "release.toml", "--plan", "plan.json"]);
    let mut command = shop.command(["work", "plan.json", "--cache", "store"]);
    for name in ["SEALIFT_SHARD", "SEALIFT_SHARDS", "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX", "CI_NODE_INDEX"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(crate::common::text(&output).contains("nothing says which shard this is"));
    assert!(shop.fails(2, ["work", "plan.json", "--cache", "store", "--shard", "3/2"]).contains("expected I/N"));
    #[cfg(not(feature = "cloud"))]
    assert!(shop.fails(1, ["work", "plan.json", "--cache", "s3://bucket/path", "--shard", "1/1"]).contains("built without cloud stores"));
    assert!(shop.fails(1, ["work", "plan.json", "--cache", "ftp://host/path", "--shard", "1/1"]).contains("is the address of no store"));
}
