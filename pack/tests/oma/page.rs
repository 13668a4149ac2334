//! The status page in a browser: headless Chromium, if it is there.

use std::process::Command;

use crate::common;
use crate::support::{Odd, OddServer, Trial, get};

/// The page as it is after some seconds, or `None` if there is no browser.
fn browse(url: &str, args: &[&str]) -> Option<String> {
    let profile = tempfile::tempdir().unwrap();
    let mut command = Command::new("chromium");
    // As root Chromium runs without its sandbox or not at all; what it loads is ours.
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=5000", "--run-all-compositor-stages-before-draw"]);
    command.arg(format!("--user-data-dir={}", profile.path().display())).args(args).arg(url);
    match command.output() {
        Ok(output) => Some(String::from_utf8_lossy(&output.stdout).into_owned()),
        Err(_) => {
            common::skipped("chromium");
            None
        }
    }
}

#[test]
fn the_page_shows_devices_states_and_results() {
    let trial = Trial::one(|_| {});
    for (id, password) in [("a", "trial"), ("b", "trial"), ("refused", "trial"), ("stranger", "wrong")] {
        let mut kit = trial.device(id);
        kit.identity.password = password.into();
        if id == "refused" {
            kit.identity.class = uuid::Uuid::nil();
        }
        let _ = kit.open().unwrap().run(&sealift::device::Wish::Orders);
    }
    let Some(dom) = browse(&trial.server.url(), &["--dump-dom"]) else { return };
    for part in [
        "SIM:a",
        "SIM:b",
        "update: done, 200",
        "update: failed, 403",
        "200 (success)",
        "403 (the package is not for this device)",
        "reports DownloadAndUpdate",
        "For trials.",
    ] {
        assert!(dom.contains(part), "{part}: {dom}");
    }
    assert!(dom.contains("<b id=\"n-devices\">4</b>") && dom.contains("id=\"n-done\" class=\"good\">2<"), "{dom}");
    if let Some(place) = std::env::var_os("SEALIFT_SCREENSHOT") {
        browse(&trial.server.url(), &[&format!("--screenshot={}", place.display()), "--window-size=1100,900"]);
    }
}

#[test]
fn the_page_follows_what_changes_and_trusts_no_text() {
    let trial = Trial::one(|_| {});
    let (_, head, page) = get(&trial.server.url());
    assert!(head.contains("content-security-policy: default-src 'none'"), "{head}");
    // The same page, before a server whose status changes from one time to the next.
    let odd = OddServer::new(move |path, count| match path {
        "/" => Odd { status: 200, media_type: "text/html".into(), body: page.clone(), cut: None },
        _ => {
            let (stage, id) = if count < 3 { ("ordered", "SIM:early") } else { ("done", "<img src=x onerror=document.title='broken'>") };
            let status = serde_json::json!({
                "time": 1, "release": { "product": "lamp", "version": "2.0", "component": "app" }, "campaigns": ["update"],
                "devices": [{ "id": id, "model": "m", "firmware": "1.0", "components": {}, "state": "10 idle", "seen": 1, "campaigns": [{ "name": "update", "stage": stage, "attempts": 1, "result": null }] }],
                "results": [], "events": [],
            });
            Odd { status: 200, media_type: "application/json".into(), body: status.to_string().into_bytes(), cut: None }
        }
    });
    let Some(dom) = browse(&odd.url, &["--dump-dom"]) else { return };
    assert!(dom.contains("update: done") && !dom.contains("SIM:early"), "{dom}");
    assert!(dom.contains("&lt;img src=x") && !dom.contains("<title>broken"), "{dom}");
    let polls = odd.asked.lock().unwrap().iter().filter(|(path, _)| path == "/status.json").count();
    assert!(polls >= 3, "{polls}");
}
