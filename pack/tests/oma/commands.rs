//! The two commands, as a person types them.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};

use crate::support::{file, path};

struct Serve {
    process: Child,
    url: String,
    folder: tempfile::TempDir,
}

impl Serve {
    fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealift"));
        command.arg("serve").arg(path("dist")).args(["--listen", "127.0.0.1:0", "--database"]).arg(folder.path().join("db")).args(args);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap().trim_end_matches('/').to_owned();
        assert!(line.contains("for trials"), "{line}");
        Self { process, url, folder }
    }

    fn device(&self, name: &str, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sealift"));
        command.arg("device").arg("--state").arg(self.folder.path().join(name)).args(["--url", &format!("{}/dm", self.url)]);
        command.args(["--id", &format!("SIM:{name}"), "--vendor", "example.com", "--class", "lamp-mk2"]);
        command.arg("--image").arg(path("old-1.0.bin")).arg("--trust").arg(path("trust.reject"));
        command.args(args).stdin(Stdio::null()).output().unwrap()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn a_device_is_provisioned_updated_and_then_has_nothing_to_do() {
    let serve = Serve::start(&[]);
    let (code, out, error) = said(&serve.device("a", &["--trace"]));
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("firmware, ./FUMO/Sealift/DownloadAndUpdate: 200 (version 2.0 is installed)"), "{out}");
    for part in
        ["device -> server: session 1, message 1, XML", "server -> device", "407 for SyncHdr", "Exec ./FUMO/Sealift/DownloadAndUpdate", "212 for SyncHdr"]
    {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(std::fs::read(serve.folder.path().join("a/firmware/slot-1")).unwrap() == file("new.bin"));
    let (code, out, _) = said(&serve.device("a", &["--json"]));
    assert_eq!((code, out.contains("\"done\": []")), (Some(0), true), "{out}");
}

#[test]
fn answers_and_exit_codes() {
    let serve = Serve::start(&["--confirm"]);
    // Nobody is at the terminal: no answer is no.
    let (code, out, _) = said(&serve.device("silent", &[]));
    assert_eq!(code, Some(0));
    assert!(out.contains("Update from 1.0 to lamp 2.0?") && out.contains("nothing to do"), "{out}");
    let (code, out, _) = said(&serve.device("yes", &["--yes", "--wbxml"]));
    assert_eq!((code, out.contains("200")), (Some(0), true), "{out}");
    let script = serve.folder.path().join("answers");
    std::fs::write(&script, "y\nn\n").unwrap();
    let (code, _, error) = said(&serve.device("script", &["--script", script.to_str().unwrap(), "--fault", "no-boot"]));
    assert_eq!(code, Some(3), "{error}");
    assert!(error.contains("rejected: the new image does not start: the old one runs again (code 410)"), "{error}");
    let (code, _, error) = said(&serve.device("cut", &["--yes", "--fault", "power-cut-at=9"]));
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("simulated") && error.contains("hint: run it again"), "{error}");
    let (code, out, error) = said(&serve.device("cut", &["--yes"]));
    assert_eq!(code, Some(0), "{error}");
    assert!(out.contains("200"), "{out}");
}

#[test]
fn mistakes_are_explained() {
    let serve = Serve::start(&[]);
    let sealift = |args: &[&str]| said(&Command::new(env!("CARGO_BIN_EXE_sealift")).args(args).current_dir(serve.folder.path()).output().unwrap());
    let (code, _, error) = sealift(&["device", "--state", "new", "--url", "http://127.0.0.1:1/dm"]);
    assert_eq!(code, Some(2));
    assert!(error.contains("--image is missing") && error.contains("hint: "), "{error}");
    let (code, _, error) = said(&serve.device("password", &["--password", "wrong"]));
    assert_eq!(code, Some(1));
    assert!(error.contains("status 401") && error.contains("same password"), "{error}");
    let (code, _, error) = sealift(&["serve", "nowhere"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("release.json"), "{error}");
    let (code, _, error) = said(&serve.device("fault", &["--fault", "earthquake"]));
    assert_eq!(code, Some(2));
    assert!(error.contains("power-cut-at"), "{error}");
    std::fs::write(serve.folder.path().join("c.toml"), "[[campaign]]\nname = \"a b\"\n").unwrap();
    let dist = path("dist");
    let (code, _, error) = sealift(&["serve", dist.to_str().unwrap(), "--database", "other", "--campaigns", "c.toml"]);
    assert_eq!(code, Some(1));
    assert!(error.contains("`a b`"), "{error}");
}
