//! The numbers of SPEC 5 to 7 are those of the code: each line here is built from constants, and must stand in the document.
#![allow(missing_docs)]

use sealift_formats::suit::{
    Algorithm, MANIFEST_VERSION, REPORT_ALL, TAG_ENVELOPE, TAG_SIGN1, claim, command, common_key, envelope_key, header, manifest_key, parameter, text_key,
};
use sealift_formats::{approval, capability, cose, envelope, manifest, trust};

/// The document, with every run of blanks and line ends as one blank.
fn spec() -> String {
    let text = include_str!("../SPEC.md");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[track_caller]
fn says(lines: &[String]) {
    let spec = spec();
    for line in lines {
        assert!(spec.contains(line.as_str()), "SPEC.md does not say: {line}");
    }
}

#[test]
fn section_5_package() {
    let (sha_256, report) = (Algorithm::SHA_256.0, REPORT_ALL);
    assert_eq!(envelope::MAX_PREFIX_BYTES, 4096);
    says(&[
        format!("package = #6.{TAG_ENVELOPE}({{"),
        format!("{} => bstr .cbor [ digest: bstr .cbor [ {sha_256}, bstr .size 32 ], 0*{} bstr .cbor block ]", envelope_key::AUTHENTICATION, cose::MAX_BLOCKS),
        format!("{} => bstr .cbor manifest,", envelope_key::MANIFEST),
        format!("? {} => bstr .cbor text,", envelope_key::TEXT),
        format!("payloads = ( \"{}\" => bstr //", envelope_key::PATCH),
        "they are at most 4,096.".to_owned(),
        format!("{} => {MANIFEST_VERSION}, ; manifest version", manifest_key::VERSION),
        format!("{} => uint .size 8, ; sequence number", manifest_key::SEQUENCE),
        format!("{} => bstr .cbor common,", manifest_key::COMMON),
        format!("{} => bstr .cbor validate,", manifest_key::VALIDATE),
        format!("{} => bstr .cbor payload-fetch,", manifest_key::PAYLOAD_FETCH),
        format!("{} => bstr .cbor install,", manifest_key::INSTALL),
        format!("? {} => [ {sha_256}, bstr .size 32 ],", manifest_key::TEXT),
        format!("component = bstr .size (1..{})", manifest::MAX_COMPONENT_BYTES),
        format!("`uri` is a text of 1 to {} bytes", manifest::MAX_URI_BYTES),
        format!("{} => [ one // several ],", common_key::COMPONENTS),
        "one = ( [ component ], [ 'patch' ], ? [ component, 'old' ] )".to_owned(),
        format!(
            "{} => bstr .cbor [ {}, 0, {}, {{ {} => vendor, {} => class }}, {}, {report}, {}, {report} ],",
            common_key::SHARED_SEQUENCE,
            command::SET_COMPONENT_INDEX,
            command::OVERRIDE_PARAMETERS,
            parameter::VENDOR,
            parameter::CLASS,
            command::VENDOR,
            command::CLASS,
        ),
        format!(
            "text = {{ + language => {{ ? {} => tstr, ? {} => tstr, [ component ] => {{ ? {} => tstr, ? {} => tstr, ? {} => tstr }} }} }}",
            text_key::MANIFEST_DESCRIPTION,
            text_key::UPDATE_DESCRIPTION,
            text_key::VENDOR_NAME,
            text_key::MODEL_NAME,
            text_key::VERSION
        ),
    ]);
}

#[test]
fn section_5_templates() {
    let (index, set, matches) = (command::SET_COMPONENT_INDEX, command::OVERRIDE_PARAMETERS, command::IMAGE_MATCH);
    let (digest, size, report) = (parameter::IMAGE_DIGEST, parameter::IMAGE_SIZE, REPORT_ALL);
    let (counter, apply) = (command::SECURITY_COUNTER, command::APPLY_PATCH);
    let image = |component: u8, name: &str| format!("{index}, {component}, {set}, {{ {digest}: D({name}), {size}: S({name})");
    let check = format!("{matches}, {report}");
    says(&[
        format!("payload-fetch = [ {}, {}: uri }}, {}, {report}, {check} ]", image(1, "patch"), parameter::URI, command::FETCH),
        format!("install = [ {counter}, security-counter, {index}, 0, {}, [ bstr .cbor done, bstr .cbor apply ] ]", command::TRY_EACH),
        format!("done = [ {} }}, {check} ]", image(0, "new")),
        format!("apply = [ {} }}, {check},", image(2, "old")),
        format!("{} }}, {check},", image(1, "patch")),
        format!("{}, ? {}: 2 }},", image(0, "new"), parameter::SOURCE_COMPONENT),
        format!("{apply}, bstr .cbor apply-arguments, {check} ]"),
        format!("validate = [ {} }}, {check} ]", image(0, "new")),
        format!("Command {apply} (`apply patch`) and condition {counter} (`security counter`"),
    ]);
}

#[test]
fn section_6_blocks() {
    let (algorithm, ed25519) = (header::ALGORITHM, Algorithm::ED25519.0);
    let (key_id, claims) = (header::KEY_ID, header::CWT_CLAIMS);
    says(&[
        format!("block = #6.{TAG_SIGN1}([ protected: bstr .cbor (oem-header / approval-header), {{}}, nil, signature: bstr .size 64 ])"),
        format!("oem-header = {{ {algorithm} => {ed25519}, {key_id} => key-id }}"),
        format!("approval-header = {{ {algorithm} => {ed25519}, {} => [ {claims} ], {key_id} => key-id, {claims} => claims }}", header::CRITICAL),
        format!("claims = {{ {} => tstr .size (1..{}),", claim::ISSUER, approval::MAX_ISSUER_BYTES),
        format!("? {} => tstr, ; aud", claim::AUDIENCE),
        format!("? {} => uint, ? {} => uint, ; exp, nbf", claim::EXPIRATION, claim::NOT_BEFORE),
        format!("? {} => uint }}", claim::EPOCH),
        format!("key-id = bstr .size (1..{})", cose::MAX_KEY_ID_BYTES),
    ]);
}

#[test]
fn section_7_trust_record() {
    says(&[
        format!("trust-file = [ \"{}\", bstr .cbor record, [ 0*{} bstr .cbor block ] ]", trust::MAGIC, trust::MAX_RECORD_BLOCKS),
        format!("3 => [ 1*{} key ],", trust::MAX_KEYS),
        format!("4 => [ 1*{} policy ],", trust::MAX_POLICIES),
        format!("2 => [ 1*{} [ role, 1..{} ] ],", trust::MAX_THRESHOLDS, trust::MAX_KEYS),
        format!("3 => {}, 4 => bstr .size 32", Algorithm::ED25519.0),
        format!("? 5 => owner: tstr .size (1..{})", trust::MAX_OWNER_BYTES),
        format!("tstr .size (1..{}) ; oem, operator, regulator,", trust::MAX_ROLE_BYTES),
        "A record has at most 2,048 bytes.".to_owned(),
    ]);
}

#[test]
fn section_8_capabilities() {
    says(&[
        format!("capabilities-file = [ \"{}\", bstr .cbor capabilities, [ 0*{} bstr .cbor block ] ]", capability::MAGIC, cose::MAX_BLOCKS),
        format!("4 => [ 1*{} profile ],", capability::MAX_PROFILES),
        format!("6 => [ 1*{} instruction-set ],", capability::MAX_INSTRUCTION_SETS),
    ]);
}
