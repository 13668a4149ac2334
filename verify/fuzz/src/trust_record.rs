//! Trust records and capability records, alone and in files with signatures.

use sealift_formats::capability::{Capabilities, CapabilityFile};
use sealift_formats::trust::{NewPolicy, NewTrustRecord, TrustFile, TrustRecord};
use sealift_verify::Dalek;
use sealift_verify::replacement::accept_replacement;

/// The body.
pub fn run(bytes: &[u8]) {
    if let Ok(record) = TrustRecord::parse(bytes) {
        one_encoding(&record, bytes);
    }
    if let Ok(file) = TrustFile::parse(bytes) {
        one_encoding(&file.record, file.record_bytes);
        file.blocks().for_each(drop);
        // A record that replaces itself has no higher number.
        assert!(accept_replacement(&file.record, &file, Dalek).is_err());
    }
    if let Ok(capabilities) = Capabilities::parse(bytes) {
        assert_eq!(capabilities.write().as_deref(), Ok(bytes), "one capability record, two encodings");
    }
    if let Ok(file) = CapabilityFile::parse(bytes) {
        file.blocks().for_each(drop);
    }
}

fn one_encoding(record: &TrustRecord<'_>, bytes: &[u8]) {
    for key in record.keys() {
        assert_eq!(record.key(key.id).map(|found| found.public), Some(key.public));
        assert_eq!(record.keys_in(record.bit_of(key.id)).count(), 1);
    }
    let policies =
        record.policies().map(|policy| NewPolicy { class: policy.class.copied(), thresholds: policy.thresholds().collect(), unapproved: policy.unapproved });
    let again = NewTrustRecord { number: record.number, keys: record.keys().collect(), policies: policies.collect(), sequence_floor: record.sequence_floor };
    assert_eq!(again.write().as_deref(), Ok(bytes), "one trust record, two encodings");
}
