//! The download descriptor's way: every status that can be caused, over descriptors of other makers, and by a client that is not ours.

use std::process::Command;

use sealift::device::fault::Fault;
use sealift::device::memory::Ask;

use crate::common;
use crate::support::{DELTA, Odd, OddServer, PACKAGES, Trial, file, get, request};

const DD: &str = "application/vnd.oma.dd+xml";
const SUIT: &str = "application/suit-envelope+cose";

/// A descriptor with these children, besides the address for the report.
fn descriptor(children: &str) -> Vec<u8> {
    format!("<?xml version=\"1.0\"?><media xmlns=\"http://www.openmobilealliance.org/xmlns/dd\">{children}<installNotifyURI>/notify</installNotifyURI></media>")
        .into_bytes()
}

fn described(size: usize) -> String {
    format!("<type>{SUIT}</type><size>{size}</size><objectURI>p.suit</objectURI>")
}

/// Serves a descriptor at `/d.dd`, the package at `/p.suit`, and takes reports.
fn maker(children: String, package: Odd) -> OddServer {
    OddServer::new(move |path, _| match path {
        "/d.dd" => Odd { status: 200, media_type: DD.into(), body: descriptor(&children), cut: None },
        "/p.suit" => package.clone(),
        _ => Odd { status: 200, ..Odd::default() },
    })
}

fn package() -> Odd {
    Odd { status: 200, media_type: SUIT.into(), body: file("dist/lamp-2.0-from-1.0.suit"), cut: None }
}

/// What a device reports for it: to the maker, and to the management server.
fn outcome(odd: &OddServer, change: impl FnOnce(&mut crate::support::Kit)) -> (Vec<String>, Vec<u16>) {
    let trial = Trial::one(|campaign| (campaign.url, campaign.attempts) = (Some(format!("{}/d.dd", odd.url)), 1));
    let mut kit = trial.device("a");
    change(&mut kit);
    let codes = kit.codes();
    (odd.posted(), codes)
}

#[test]
fn every_status_with_its_cause() {
    let size = package().body.len();
    let good = described(size);
    let nothing = |_: &mut crate::support::Kit| {};
    let of = |children: &str, package: Odd, change: &dyn Fn(&mut crate::support::Kit)| {
        let odd = maker(children.to_owned(), package);
        let (posted, codes) = outcome(&odd, |kit| change(kit));
        (posted.join(";"), codes)
    };
    let said = |text: &str, code: u16| (text.to_owned(), vec![code]);
    assert_eq!(of(&good, package(), &nothing), said("900 Success", 200));
    assert_eq!(of(&good, package(), &|kit| kit.identity.storage = 100), said("901 Insufficient memory", 501));
    let refuses = |kit: &mut crate::support::Kit| (kit.identity.ask, kit.answers) = (Ask::Always, vec!["n"]);
    assert_eq!(of(&good, package(), &refuses), said("902 User Cancelled", 401));
    assert_eq!(of(&good, Odd { cut: Some(100), ..package() }, &nothing), said("903 Loss of Service", 503));
    assert_eq!(of(&described(size + 1), package(), &nothing), said("905 Attribute mismatch", 402));
    assert_eq!(of(&good, Odd { media_type: "text/plain".into(), ..package() }, &nothing), said("905 Attribute mismatch", 402));
    for broken in ["<type>a</type>", "<size>1</size>", &good.replace("<size>", "<size>-"), &format!("{good}<size>1</size>"), &format!("{good}<name>")] {
        let (posted, codes) = of(broken, package(), &nothing);
        assert_eq!((posted.as_str(), codes), ("906 Invalid descriptor", vec![409]), "{broken}");
    }
    assert_eq!(of(&format!("{good}<DDVersion>2.0</DDVersion>"), package(), &nothing), said("951 Invalid DDVersion", 409));
    assert_eq!(of(&good, package(), &|kit| kit.faults = vec![Fault::Abort]), said("952 Device Aborted", 400));
    assert_eq!(of(&good.replace(SUIT, "image/gif"), package(), &nothing), said("953 Non-Acceptable Content", 405));
    assert_eq!(of(&good, package(), &|kit| kit.faults = vec![Fault::Corrupt(900)]), said("954 Loader Error", 402));
    // The children in another order, and elements of others: all the same.
    let mixed =
        format!("<x xmlns=\"urn:x\"/><DDVersion>1.1</DDVersion><objectURI>p.suit</objectURI><size>{size}</size><later/><type>a/b</type><type>{SUIT}</type>");
    assert_eq!(of(&mixed, package(), &nothing), said("900 Success", 200));
}

#[test]
fn nothing_is_released_before_the_report_was_taken() {
    let children = described(package().body.len());
    let odd = OddServer::new(move |path, _| match path {
        "/d.dd" => Odd { status: 200, media_type: DD.into(), body: descriptor(&children), cut: None },
        "/p.suit" => package(),
        _ => Odd { status: 500, ..Odd::default() },
    });
    let (posted, codes) = outcome(&odd, |_| {});
    assert_eq!((posted.len(), codes), (3, vec![503]), "three times, and then it is lost");
}

#[test]
fn a_broken_descriptor_costs_nothing_but_itself() {
    for body in [&b""[..], b"<media", &[0xff, 0xfe], &[b'<'; 70_000], b"<!DOCTYPE media [<!ENTITY a \"aaaaaaaa\"><!ENTITY b \"&a;&a;\">]><media>&b;</media>"] {
        let body = body.to_vec();
        let odd = OddServer::new(move |_, _| Odd { status: 200, media_type: DD.into(), body: body.clone(), cut: None });
        let (_, codes) = outcome(&odd, |_| {});
        assert_eq!(codes, [409]);
    }
}

#[test]
fn curl_gets_a_package_in_ranges_and_posts_a_report() {
    let trial = Trial::one(|_| {});
    let whole = file(&format!("dist/{DELTA}.suit"));
    let url = format!("{}/packages/{DELTA}.suit", trial.server.url());
    let curl = |args: &[&str]| Command::new("curl").args(["-sS", "--fail"]).args(args).output();
    let Ok(first) = curl(&["-r", "0-499", &url]) else { return common::skipped("curl") };
    let rest = curl(&["-r", "500-", &url]).unwrap();
    assert_eq!([first.stdout, rest.stdout].concat(), whole);
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("part");
    std::fs::write(&part, &whole[..100]).unwrap();
    assert!(curl(&["-C", "-", "-o", part.to_str().unwrap(), &url]).unwrap().status.success());
    assert_eq!(std::fs::read(&part).unwrap(), whole);
    let head = curl(&["-I", &format!("{}/descriptors/{DELTA}.dd", trial.server.url())]).unwrap();
    assert!(String::from_utf8_lossy(&head.stdout).to_lowercase().contains(&format!("content-type: {DD}")));
    let said = curl(&["--data", "900 Success", &format!("{}/notify/{DELTA}", trial.server.url())]).unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "recorded");
    assert!(trial.status()["events"].to_string().contains(&format!("install-notify for {DELTA}: 900 Success")));
}

#[test]
fn the_readme_s_own_words_work() {
    if Command::new("curl").arg("--version").output().is_err() {
        return common::skipped("curl");
    }
    let trial = Trial::one(|_| {});
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap();
    let words: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("$ ")).filter(|line| line.starts_with("curl ")).collect();
    assert_eq!(words.len(), 3, "{words:?}");
    let folder = tempfile::tempdir().unwrap();
    for line in &words {
        let command = line.replace("http://127.0.0.1:8066", &trial.server.url()).replace("NAME", DELTA);
        let output = Command::new("sh").args(["-c", &command]).current_dir(folder.path()).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // The first two lines have got it in two parts.
    assert!(std::fs::read(folder.path().join(format!("{DELTA}.suit"))).unwrap() == file(&format!("dist/{DELTA}.suit")));
    assert!(trial.status()["events"].to_string().contains("900 Success"));
}

#[test]
fn the_server_s_files() {
    let trial = Trial::one(|_| {});
    let url = trial.server.url();
    let whole = file(&format!("dist/{DELTA}.suit"));
    let (status, head, body) = get(&format!("{url}/packages/{DELTA}.suit"));
    assert_eq!((status, &body), (200, &whole));
    assert!(head.contains("accept-ranges: bytes") && head.contains(&format!("content-type: {SUIT}")), "{head}");
    let tag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().trim().to_owned();
    let ranged = |headers: &[(&str, &str)]| request(&format!("{url}/packages/{DELTA}.suit"), "GET", headers, &[]);
    let (status, head, body) = ranged(&[("Range", "bytes=10-19"), ("If-Range", &tag)]);
    assert_eq!((status, body), (206, whole[10..20].to_vec()));
    assert!(head.contains(&format!("content-range: bytes 10-19/{}", whole.len())), "{head}");
    // Other bytes than those that were begun with: all of them.
    assert_eq!(ranged(&[("Range", "bytes=10-19"), ("If-Range", "\"other\"")]).0, 200);
    assert_eq!(ranged(&[("Range", "bytes=999999-")]).0, 416);
    // The descriptor has the size that the package has now that it is approved, and our addresses.
    let (_, _, body) = get(&format!("{url}/descriptors/{DELTA}.dd?order=abc"));
    let descriptor = sealift::documents::dlota::Descriptor::read(&body).unwrap();
    assert_eq!(descriptor.size, whole.len() as u64);
    assert_eq!(descriptor.object_uri, format!("{url}/packages/{DELTA}.suit?order=abc"));
    // The ready commands.
    let (status, head, _) = get(&format!("{url}/documents/{DELTA}.fumo-inline.wbxml"));
    assert!(status == 200 && head.contains("content-type: application/vnd.syncml.dm+wbxml"), "{head}");
    for (method, path, status) in [
        ("GET", "/packages/none.suit", 404),
        ("GET", "/packages/../release.json", 404),
        ("GET", "/packages/%2e%2e%2frelease.json", 404),
        ("GET", "/documents/release.json", 404),
        ("DELETE", &format!("/packages/{}.suit", PACKAGES[2]), 405),
        ("GET", "/dm", 405),
        ("GET", "/elsewhere", 404),
        ("GET", "/push/", 400),
    ] {
        assert_eq!(request(&format!("{url}{path}"), method, &[], &[]).0, status, "{method} {path}");
    }
    for (path, body, status) in [
        (format!("/notify/{DELTA}"), &b"900"[..], 200),
        (format!("/notify/{DELTA}"), b"904 ?", 400),
        (format!("/notify/{DELTA}"), b"", 400),
        (format!("/notify/{DELTA}"), b"\xff\xff", 400),
        (format!("/notify/{DELTA}"), &[b'9'; 5000], 413),
        ("/notify/none".into(), b"900 Success", 404),
    ] {
        assert_eq!(request(&format!("{url}{path}"), "POST", &[], body).0, status, "{path} {}", String::from_utf8_lossy(&body[..body.len().min(20)]));
    }
}
