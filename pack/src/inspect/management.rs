//! What management servers hand out beside descriptors: command messages, sideband workflows, the LwM2M mapping.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::oma::dm::{Encoding, Message};
use crate::oma::sacmo::Workflow;
use crate::oma::trace;
use crate::oma::xml::Limits;

/// A document of a management server.
#[derive(Debug, Serialize)]
pub struct Shown {
    /// What it is.
    what: &'static str,
    /// What it says, line by line.
    lines: Vec<String>,
}

/// Reads a command message in either form or a workflow; `None` if it is neither.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<Shown> {
    // Of our own files none is longer; the limit of a session's messages is lower.
    let limits = Limits { bytes: 16 << 20, text_bytes: 16 << 20, ..Limits::MESSAGE };
    for encoding in [Encoding::Xml, Encoding::Wbxml] {
        if let Ok(message) = Message::decode(bytes, encoding, &limits) {
            let text = trace::describe("command message", &message, encoding, bytes.len());
            return Some(Shown { what: "management-message", lines: text.lines().map(str::to_owned).collect() });
        }
    }
    let workflow = Workflow::read(bytes).ok()?;
    let mut lines = vec![format!("sideband workflow {} at {}", workflow.id, workflow.vendor_url)];
    let texts = [("asks", workflow.confirmation.as_ref()), ("says at the end", workflow.completion.as_ref())];
    lines.extend(texts.into_iter().filter_map(|(name, text)| Some(format!("    {name}: {}", text?.text("en")))));
    lines.extend((1..).zip(&workflow.instructions).map(|(step, text)| format!("    step {step}: {}", text.text("en"))));
    let retry = workflow.retry;
    lines.push(format!("    tried {} times, after {} s, then {} times as long each time", retry.attempts, retry.delay_seconds, retry.factor));
    Some(Shown { what: "workflow", lines })
}

/// Reads the LwM2M mapping; `None` if the JSON is something else.
#[must_use]
pub fn read_mapping(bytes: &[u8]) -> Option<Shown> {
    let mapping: Value = serde_json::from_slice(bytes).ok()?;
    let mut lines = vec![format!("LwM2M mapping for {}", mapping.get("package")?.as_str()?)];
    for object in mapping.get("objects")?.as_array()? {
        for way in ["push", "pull"] {
            let steps = object.get(way).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let said = steps.iter().map(|step| {
                let part = |name: &str| step.get(name).and_then(Value::as_str).unwrap_or_default();
                format!("{} {} {}{}", part("operation"), part("path"), part("value"), part("file")).trim_end().to_owned()
            });
            lines.push(format!("    object {}, {way}: {}", object.get("object")?, said.collect::<Vec<_>>().join(", then ")));
        }
    }
    Some(Shown { what: "lwm2m-mapping", lines })
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.join("\n"))
    }
}
