//! The templates for build farms: well-formed, and true to what the program reads.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::common;

fn template(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("templates").join(name)
}

/// A YAML file as JSON, as PyYAML reads it; `None`: it is not there.
fn yaml(name: &str) -> Option<Value> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/oracles/bin/python");
    let program = "import sys, json, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    for python in [own, "python3".into()] {
        match Command::new(python).args(["-c", program]).arg(template(name)).output() {
            Ok(output) if output.status.success() => return Some(serde_json::from_slice(&output.stdout).unwrap()),
            Ok(output) if !common::text(&output).contains("No module named 'yaml'") => panic!("{name}: {}", common::text(&output)),
            _ => {}
        }
    }
    common::skipped("PyYAML");
    None
}

/// Every `sealift` command of a text must be one that the program takes.
fn commands_are_known(text: &str) {
    let mut count = 0;
    for line in text.lines() {
        let Some(at) = line.find("sealift pack ").or_else(|| line.find("sealift work ")) else { continue };
        let line = line[at..].split("    (").next().unwrap();
        let words = line.split_whitespace().map(|word| word.trim_matches('"'));
        let parsed = <sealift::cli::Cli as clap::Parser>::try_parse_from(words);
        assert!(parsed.is_ok(), "{line}: {}", parsed.unwrap_err());
        count += 1;
    }
    assert!(count >= 2, "{count} commands in {text}");
}

#[test]
fn commands() {
    for name in ["slurm.sbatch", "kubernetes-job.yaml", "gitlab-ci.yml", "github-actions.yml"] {
        commands_are_known(&fs::read_to_string(template(name)).unwrap());
    }
}

#[test]
fn slurm() {
    let script = template("slurm.sbatch");
    assert!(Command::new("bash").arg("-n").arg(&script).status().unwrap().success());
    match Command::new("shellcheck").arg(&script).output() {
        Ok(output) => assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout)),
        Err(_) => common::skipped("shellcheck"),
    }
    let text = fs::read_to_string(script).unwrap();
    assert!(text.contains("#SBATCH --array=0-3\n") && text.contains("SEALIFT_SHARDS:-4"), "as many tasks as shards");
}

#[test]
fn kubernetes() {
    let Some(job) = yaml("kubernetes-job.yaml") else { return };
    assert_eq!((&job["apiVersion"], &job["kind"]), (&"batch/v1".into(), &"Job".into()));
    let spec = &job["spec"];
    assert_eq!(spec["completionMode"], "Indexed");
    let container = &spec["template"]["spec"]["containers"][0];
    let shards = container["env"].as_array().unwrap().iter().find(|variable| variable["name"] == "SEALIFT_SHARDS").unwrap();
    assert_eq!(shards["value"], spec["completions"].to_string(), "as many completions as shards");
    let command: Vec<_> = container["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    assert!(<sealift::cli::Cli as clap::Parser>::try_parse_from(&command).is_ok(), "{command:?}");
}

#[test]
fn gitlab() {
    let Some(pipeline) = yaml("gitlab-ci.yml") else { return };
    let stages: Vec<_> = pipeline["stages"].as_array().unwrap().iter().map(|stage| stage.as_str().unwrap()).collect();
    assert!(stages.iter().all(|stage| pipeline[stage]["stage"] == *stage), "{stages:?}");
    assert!(pipeline["work"]["parallel"].as_u64() > Some(1));
    let with_key: Vec<_> = stages.iter().filter(|stage| pipeline[**stage]["script"].to_string().contains("SEALIFT_KEY")).collect();
    assert_eq!(with_key, [&"assemble"], "the key is where the release is signed, and nowhere else");
}

#[test]
fn github() {
    let Some(workflow) = yaml("github-actions.yml") else { return };
    let jobs = &workflow["jobs"];
    let shards: Vec<u64> = jobs["work"]["strategy"]["matrix"]["shard"].as_array().unwrap().iter().map(|shard| shard.as_u64().unwrap()).collect();
    assert_eq!(shards, (1..=shards.len() as u64).collect::<Vec<_>>(), "shards count from 1");
    assert_eq!(jobs["work"]["env"]["SEALIFT_SHARD"], "${{ matrix.shard }}/${{ strategy.job-total }}");
    assert!(jobs["assemble"].to_string().contains("SEALIFT_KEY") && !jobs["work"].to_string().contains("SEALIFT_KEY"));
}
