//! Vectors that are not of the form of SPEC 5 to 8: one for each reason of the formats, at least.

use sealift_formats::ErrorKind;
use sealift_formats::capability;
use sealift_formats::cbor::encode;
use sealift_formats::cose::digest_item;
use sealift_formats::suit::Algorithm;
use sealift_formats::trust;

use crate::cases::{Cases, meter, record, trust_file, vector};
use crate::fixture::{self, Package, Signer, oem, second_oem, signer};
use crate::package::{Raw, good, manifest, replaced, signed};
use crate::vector::{Format, Vector};

pub fn add(cases: &mut Cases) {
    shells(cases);
    blocks(cases);
    manifests(cases);
    trust_records(cases);
    capability_records(cases);
}

fn shells(cases: &mut Cases) {
    let usual = good().bytes();
    let mut start = |name: &str, description: &str, from: &[u8], to: &[u8], kind: ErrorKind| {
        let bytes = [to, usual.strip_prefix(from).unwrap()].concat();
        cases.add(name, vector(description, bytes).malformed(kind));
    };
    let head: &[u8] = b"\xd8\x6b\xa4\x02";
    start("tag-not-shortest", "the tag's head could be shorter", &head[..2], b"\xd9\x00\x6b", ErrorKind::HeadNotShortest);
    start("map-indefinite", "the envelope is a map of indefinite length", &head[..3], b"\xd8\x6b\xbf", ErrorKind::IndefiniteLength);
    start("head-reserved", "the envelope's head is a reserved one", &head[..3], b"\xd8\x6b\xbc", ErrorKind::ReservedHead);
    start("wrapper-as-text", "the authentication wrapper is a text", b"\xd8\x6b\xa4\x02\x59", b"\xd8\x6b\xa4\x02\x79", ErrorKind::WrongType);
    start("bare-manifest-tag", "the tag of a manifest without envelope", &head[..2], b"\xd9\x04\x2e", ErrorKind::NotAnEnvelope);
    cases.add("patch-alone", vector("a patch is no package", good().payload.unwrap()).malformed(ErrorKind::NotAnEnvelope));
    cases.add("cut", vector("cut in the manifest", usual[..500].to_vec()).malformed(ErrorKind::UnexpectedEnd).row(8));
    cases.add("bytes-behind", vector("bytes after the payload", [&usual[..], b"\0"].concat()).malformed(ErrorKind::TrailingBytes).row(7));
    let severed = Raw::from(good()).bytes_with(1, |writer| {
        writer.integer(16).bytes(b"\x80");
    });
    cases.add("fetch-severed", vector("a payload-fetch section beside the manifest", severed).malformed(ErrorKind::UnknownKey).row(5));
    let two_payloads = encode(|writer| {
        writer.raw(&Raw::from(good()).bytes_with(1, |_| {})).text("#patck").bytes(b"");
    });
    cases.add("two-payloads", vector("a second payload behind the first", two_payloads).malformed(ErrorKind::UnknownKey).row(5));
    let raw = Raw::from(good());
    let no_manifest = encode(|writer| {
        writer.tag(107).map(1).integer(2).bytes(&raw.wrapper());
    });
    cases.add("no-manifest", vector("an envelope without a manifest", no_manifest).malformed(ErrorKind::MissingKey));
    let endless = Package { text: Some(vec![0; 4096]), ..good() };
    cases.add("prefix-too-long", vector("more than 4,096 bytes before the payload", Raw::from(endless).bytes()).malformed(ErrorKind::EnvelopeTooLong).row(22));
    let nine = (2..9).fold(good(), |package, index| package.signed(&signer(100 + index)));
    cases.add("nine-blocks", vector("one block more than an envelope can have", Raw::from(nine).bytes()).malformed(ErrorKind::TooManyBlocks).row(22));
    let mut sha_384 = Raw::from(good());
    sha_384.digest_item[1..2].copy_from_slice(b"\x38");
    sha_384.digest_item.insert(2, 42);
    cases.add("other-digest-algorithm", vector("a digest by SHA-384", sha_384.bytes()).malformed(ErrorKind::UnsupportedDigest(-43)).row(11));
}

/// The good package with the OEM's block in another form.
fn with_block(block: Vec<u8>) -> Vec<u8> {
    let mut raw = Raw::from(good());
    raw.blocks[0] = block;
    raw.bytes()
}

/// A block with any protected header, with a signature that holds over it.
fn by(signer: &Signer, protected: &[u8]) -> Vec<u8> {
    signer.block_with(protected, b"", &digest_item(&good().digest()))
}

fn blocks(cases: &mut Cases) {
    let id = oem().id;
    let with_id = |start: &[u8], rest: &[u8]| [start, b"\x04\x48", &id[..], rest].concat();
    let mut protected = |name: &str, description: &str, bytes: Vec<u8>, kind: ErrorKind, row: u8| {
        cases.add(name, vector(description, with_block(by(&oem(), &bytes))).malformed(kind).row(row));
    };
    for (name, description, algorithm) in [
        ("algorithm-eddsa", "the name EdDSA, which leaves the curve open", Algorithm(-8)),
        ("algorithm-es256", "ES256", Algorithm(-7)),
        ("algorithm-esp256", "ECDSA over P-256", Algorithm(-9)),
        ("algorithm-hmac", "HMAC, with a public key as the secret", Algorithm(5)),
    ] {
        let number = encode(|writer| {
            writer.integer(algorithm.0.into());
        });
        protected(name, description, with_id(&[b"\xa2\x01", &number[..]].concat(), b""), ErrorKind::UnsupportedAlgorithm(algorithm), 11);
    }
    let header = |start: &[u8], rest: &[u8]| with_id(start, rest);
    protected("header-unknown", "a content type in the header", header(b"\xa3\x01\x32\x03\x00", b""), ErrorKind::UnknownHeader(3), 11);
    protected("critical-unknown", "a critical header that nobody knows", header(b"\xa3\x01\x32\x02\x81\x10", b""), ErrorKind::UnknownCritical, 11);
    protected("critical-without-claims", "claims are critical, and not there", header(b"\xa3\x01\x32\x02\x81\x0f", b""), ErrorKind::ClaimsNotCritical, 11);
    protected("claims-not-critical", "claims that may be overlooked", header(b"\xa3\x01\x32", b"\x0f\xa1\x01\x61a"), ErrorKind::ClaimsNotCritical, 11);
    let approval = |claims: &[u8]| header(b"\xa4\x01\x32\x02\x81\x0f", &[b"\x0f", claims].concat());
    protected("audience-form", "an audience that is no class", approval(b"\xa2\x01\x61a\x03\x63all"), ErrorKind::AudienceForm, 14);
    protected("claim-unknown", "a subject among the claims", approval(b"\xa2\x01\x61a\x02\x61b"), ErrorKind::UnknownClaim(2), 14);
    protected("claims-out-of-order", "claims in another order", approval(b"\xa3\x01\x61a\x05\x01\x04\x02"), ErrorKind::KeyOrder, 10);
    protected("issuer-empty", "nobody is the issuer", approval(b"\xa1\x01\x60"), ErrorKind::WrongLength, 10);
    protected("key-id-too-long", "a key id of 17 bytes", [&b"\xa2\x01\x32\x04\x51"[..], &[7; 17]].concat(), ErrorKind::WrongLength, 22);

    // No Sig_structure of ours has room for it: a signature over something else will do, the form comes first.
    let long = header(b"\xa3\x01\x32", &[b"\x0f\x78\xa0", &[b'a'; 160][..]].concat());
    let usual = good().blocks[0].clone();
    let too_long = encode(|writer| {
        writer.tag(18).array(4).bytes(&long).map(0).null().bytes(&usual[usual.len() - 64..]);
    });
    cases.add("header-too-long", vector("a protected header of 174 bytes", with_block(too_long)).malformed(ErrorKind::HeaderTooLong).row(22));
    let block = |from: &[u8], to: &[u8]| with_block(replaced(&usual, from, to, 1));
    cases.add("block-is-a-mac", vector("the tag of a COSE_Mac0", block(b"\xd2\x84", b"\xd1\x84")).malformed(ErrorKind::NotSign1).row(11));
    let unprotected = block(b"\xa0\xf6\x58\x40", b"\xa1\x01\x32\xf6\x58\x40");
    cases.add("algorithm-unprotected", vector("the algorithm outside of what is signed", unprotected).malformed(ErrorKind::UnprotectedHeader).row(11));
    cases.add(
        "payload-undefined",
        vector("`undefined` for the detached payload", block(b"\xf6\x58\x40", b"\xf7\x58\x40")).malformed(ErrorKind::UnsupportedSimple),
    );
    cases.add("payload-attached", vector("a payload in the block", block(b"\xf6\x58\x40", b"\x40\x58\x40")).malformed(ErrorKind::WrongType).row(1));
    let approval = good().blocks[1].clone();
    cases.add("approval-cut", vector("an approval file cut short", approval[..100].to_vec()).of(Format::Approval).malformed(ErrorKind::UnexpectedEnd));
    let audience = replaced(&approval, b"urn:uuid:2", b"urn:uuid:X", 1);
    cases.add("approval-audience", vector("an audience that is no UUID", audience).of(Format::Approval).malformed(ErrorKind::AudienceForm));
    cases.add("approval-by-package", vector("a package is no approval", good().bytes()).of(Format::Approval).malformed(ErrorKind::NotSign1));
}

/// A manifest that no writer makes, signed and approved all the same.
fn signed_manifest(manifest: Vec<u8>) -> Vec<u8> {
    signed(Package { payload: good().payload, ..Package::of_bytes(manifest) }).bytes()
}

fn manifests(cases: &mut Cases) {
    let usual = manifest().write().unwrap();
    let mut changed = |name: &str, description: &str, from: &[u8], to: &[u8], times: usize, kind: ErrorKind| {
        cases.add(name, vector(description, signed_manifest(replaced(&usual, from, to, times))).malformed(kind));
    };
    changed("manifest-version", "a later version of the manifest", b"\xa7\x01\x01", b"\xa7\x01\x02", 1, ErrorKind::ManifestVersion(2));
    changed("key-out-of-order", "the text's digest under a key that comes earlier", b"\x17\x82\x2f", b"\x05\x82\x2f", 1, ErrorKind::KeyOrder);
    changed("key-twice", "two install sequences", b"\x17\x82\x2f", b"\x14\x82\x2f", 1, ErrorKind::DuplicateKey);
    changed(
        "key-nested-too-deep",
        "a key of nine arrays in one another",
        b"\x17\x82\x2f",
        b"\x81\x81\x81\x81\x81\x81\x81\x81\x81\x00\x82\x2f",
        1,
        ErrorKind::TooDeep,
    );
    changed("uri-not-utf8", "a URI that is not UTF-8", b"\x66#patch", b"\x66#patc\xff", 1, ErrorKind::NotUtf8);
    changed(
        "vendor-too-short",
        "a vendor of 15 bytes",
        &[&b"\x50"[..], &[0x11; 16]].concat(),
        &[&b"\x4f"[..], &[0x11; 15]].concat(),
        1,
        ErrorKind::WrongLength,
    );
    changed("name-not-printable", "a bell in the component's name", b"\x43app", b"\x43a\x07p", 2, ErrorKind::ComponentName);
    changed("reporting-policy", "another reporting policy", b"\x01\x0f\x02\x0f", b"\x01\x0f\x02\x00", 1, ErrorKind::NotTheTemplate);
    changed("apply-version", "arguments of a later patch version", b"\x87\x01\x08\x58\x20", b"\x87\x02\x08\x58\x20", 1, ErrorKind::ApplyVersion(2));
    changed("apply-range", "chunks of 128 bytes", b"\x87\x01\x08\x58\x20", b"\x87\x01\x07\x58\x20", 1, ErrorKind::ApplyRange);
    // The new image's size, in `validate` alone.
    let at = usual.windows(3).position(|window| window == [0x0e, 0x18, 0x1f]).unwrap();
    let mut contradiction = usual.clone();
    contradiction[at + 2] += 1;
    cases.add("sizes-contradict", vector("two sizes of the new image", signed_manifest(contradiction)).malformed(ErrorKind::Contradiction).row(5));
    cases
        .add("manifest-behind", vector("a byte after the manifest", signed_manifest([&usual[..], b"\0"].concat())).malformed(ErrorKind::TrailingBytes).row(10));
}

fn trust_records(cases: &mut Cases) {
    let (a, b) = (oem(), second_oem());
    let current = record(5, 10, &[&a], 1);
    let mut file = |name: &str, description: &str, bytes: Vec<u8>, kind: ErrorKind| {
        let vector = Vector { old: None, ..vector(description, bytes).of(Format::TrustFile) };
        cases.add(name, vector.under(current.clone()).malformed(kind));
    };
    // A record that no writer makes, signed by the key in force.
    let signed = |record: &[u8]| {
        let block = a.block(None, trust::EXTERNAL, &digest_item(&fixture::sha256(record)));
        encode(|writer| {
            writer.array(3).text(trust::MAGIC).bytes(record).array(1).bytes(&block);
        })
    };
    let two = record(6, 10, &[&a, &b], 1);
    let one = record(6, 10, &[&a], 1);
    let change = |record: &[u8], from: &[u8], to: &[u8]| signed(&replaced(record, from, to, 1));
    let (mut keys, public) = ([a.id, b.id], [a.public, b.public]);
    keys.sort();
    file("trust-other-file", "a package is no trust record", good().bytes(), ErrorKind::NotATrustFile);
    file("trust-version", "a later version of the record", change(&one, b"\xa5\x01\x01\x02", b"\xa5\x01\x02\x02"), ErrorKind::TrustVersion(2));
    file("trust-no-key", "a record without keys", signed(&without_keys(&one)), ErrorKind::KeyCount);
    file("trust-no-policy", "a record without policies", signed(&one_without_policies(&one)), ErrorKind::PolicyCount);
    let swapped = replaced(&replaced(&replaced(&two, &keys[0], b"\x01\x01\x01\x01\x01\x01\x01\x01", 1), &keys[1], &keys[0], 1), &[1; 8], &keys[1], 1);
    file("trust-keys-out-of-order", "keys in another order", signed(&swapped), ErrorKind::EntryOrder);
    file("trust-key-twice", "one public key under two ids", change(&two, &public[0], &public[1]), ErrorKind::DuplicatePublicKey);
    file("trust-role", "a role that is none", change(&one, b"\x02\x00\x03\x32", b"\x02\x03\x03\x32"), ErrorKind::RoleName);
    file(
        "trust-algorithm",
        "a key for another algorithm",
        change(&one, b"\x02\x00\x03\x32", b"\x02\x00\x03\x26"),
        ErrorKind::UnsupportedAlgorithm(Algorithm(-7)),
    );
    file(
        "trust-policy-without-oem",
        "a policy that asks for operators only",
        change(&one, b"\x81\x82\x00\x01", b"\x81\x82\x01\x01"),
        ErrorKind::PolicyWithoutOem,
    );
    file("trust-threshold", "a threshold of no key", change(&one, b"\x81\x82\x00\x01", b"\x81\x82\x00\x00"), ErrorKind::IntegerRange);
    let blocks = [&a; 17].map(|signer| signer.block(None, trust::EXTERNAL, &digest_item(&fixture::sha256(&one))));
    let crowded = encode(|writer| {
        writer.array(3).text(trust::MAGIC).bytes(&one).array(17);
        blocks.iter().for_each(|block| {
            writer.bytes(block);
        });
    });
    file("trust-seventeen-blocks", "one signature more than a record can have", crowded, ErrorKind::TooManyBlocks);
    let owners: Vec<String> = (0..16).map(|index| format!("{index:032}")).collect();
    let mut many: Vec<Signer> = (1..=16).map(signer).collect();
    many.sort_by_key(|signer| signer.id);
    let classes = 0..8_u8;
    let long = encode(|writer| {
        writer.map(5).integer(1).unsigned(1).integer(2).unsigned(6).integer(3).array(16);
        for (signer, owner) in many.iter().zip(&owners) {
            writer.map(6).integer(1).bytes(&signer.id).integer(2).unsigned(0).integer(3).integer(-19).integer(4).bytes(&signer.public);
            writer.integer(5).text(owner).integer(6).unsigned(u64::MAX);
        }
        writer.integer(4).array(8);
        for class in classes {
            writer.map(3).integer(1).bytes(&[class; 16]).integer(2).array(3).array(2).unsigned(0).unsigned(1);
            writer.array(2).text("carrier-lab-north").unsigned(1).array(2).text("carrier-lab-south").unsigned(1).integer(3).unsigned(0);
        }
        writer.integer(5).unsigned(10);
    });
    assert!(long.len() > trust::MAX_RECORD_BYTES);
    file("trust-too-long", "a record that does not fit a device's 2 KiB", signed(&long), ErrorKind::TrustRecordTooLong);
    file("trust-cut", "cut in the signatures", trust_file(&one, &[&a])[..150].to_vec(), ErrorKind::UnexpectedEnd);
}

/// The record with `3 => []` in place of its one key.
fn without_keys(record: &[u8]) -> Vec<u8> {
    let start = record.windows(2).position(|window| window == [0x03, 0x81]).unwrap();
    let end = record.windows(2).position(|window| window == [0x04, 0x81]).unwrap();
    // The policies' key comes last of those that match.
    let end = record.windows(3).rposition(|window| window == [0x04, 0x81, 0xa3]).unwrap_or(end);
    [&record[..start], b"\x03\x80", &record[end..]].concat()
}

/// The record with `4 => []` in place of its one policy.
fn one_without_policies(record: &[u8]) -> Vec<u8> {
    let start = record.windows(3).rposition(|window| window == [0x04, 0x81, 0xa3]).unwrap();
    [&record[..start], b"\x04\x80\x05\x0a"].concat()
}

fn capability_records(cases: &mut Cases) {
    let mut file = |name: &str, description: &str, bytes: Vec<u8>, kind: ErrorKind| {
        let vector = Vector { old: None, ..vector(description, bytes).of(Format::Capabilities) };
        cases.add(name, vector.malformed(kind));
    };
    let usual = capability::write_file(&meter().write().unwrap(), &[]).unwrap();
    file("capabilities-other-file", "a trust record is no capability record", trust_file(&record(1, 0, &[&oem()], 1), &[]), ErrorKind::NotACapabilityFile);
    file("capabilities-version", "a later version of the record", replaced(&usual, b"\xac\x01\x01", b"\xac\x01\x02", 1), ErrorKind::CapabilityVersion(2));
    file("capabilities-range", "a RAM class that there is not", replaced(&usual, b"\x05\x0f\x06\x82", b"\x05\x0c\x06\x82", 1), ErrorKind::CapabilityRange);
    file("capabilities-order", "instruction sets in another order", replaced(&usual, b"\x06\x82\x00\x01", b"\x06\x82\x01\x00", 1), ErrorKind::EntryOrder);
}
