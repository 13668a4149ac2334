//! Writers for the trust record and its file.

use super::*;
use crate::cbor::{Writer, encode};
use alloc::vec::Vec;

/// A policy to write.
#[derive(Clone, Debug)]
pub struct NewPolicy<'a> {
    /// The class; `None`: every class without a policy of its own.
    pub class: Option<[u8; 16]>,
    /// How many keys of each role must have signed; in any order, `oem` among them.
    pub thresholds: Vec<Threshold<'a>>,
    /// What happens to an unapproved package.
    pub unapproved: Unapproved,
}

/// A trust record to write.
#[derive(Clone, Debug)]
pub struct NewTrustRecord<'a> {
    /// Number of the record.
    pub number: u64,
    /// The keys, in any order.
    pub keys: Vec<Key<'a>>,
    /// The policies, in any order.
    pub policies: Vec<NewPolicy<'a>>,
    /// No manifest with a lower sequence number is taken.
    pub sequence_floor: u64,
}

impl NewTrustRecord<'_> {
    /// Writes the record, its entries in their order.
    ///
    /// # Errors
    /// What a reader would refuse: no key, one public key twice, a policy without the OEM, and so on. The offset is one in the record.
    pub fn write(&self) -> Result<Vec<u8>, DecodeError> {
        let (mut keys, mut policies) = (self.keys.clone(), self.policies.clone());
        keys.sort_by(|left, right| byte_order(left.id, right.id));
        policies.sort_by(|left, right| class_order(left.class.as_ref(), right.class.as_ref()));
        let bytes = encode(|writer| {
            writer.map(5).integer(RECORD_VERSION).unsigned(VERSION).integer(RECORD_NUMBER).unsigned(self.number);
            writer.integer(RECORD_KEYS).array(length(keys.len()));
            keys.iter().for_each(|key| write_key(writer, key));
            writer.integer(RECORD_POLICIES).array(length(policies.len()));
            policies.iter_mut().for_each(|policy| write_policy(writer, policy));
            writer.integer(RECORD_FLOOR).unsigned(self.sequence_floor);
        });
        TrustRecord::parse(&bytes)?;
        Ok(bytes)
    }
}

/// Writes the file around a record's bytes and the signatures over it.
///
/// # Errors
/// What a reader would refuse.
pub fn write_file(record: &[u8], blocks: &[&[u8]]) -> Result<Vec<u8>, DecodeError> {
    let bytes = encode(|writer| {
        writer.array(3).text(MAGIC).bytes(record).array(length(blocks.len()));
        for block in blocks {
            writer.bytes(block);
        }
    });
    TrustFile::parse(&bytes)?;
    Ok(bytes)
}

fn write_key(writer: &mut Writer, key: &Key<'_>) {
    let optional = u64::from(key.owner.is_some()).saturating_add(u64::from(key.epoch_floor.is_some()));
    writer.map(optional.saturating_add(4)).integer(KEY_ID).bytes(key.id).integer(KEY_ROLE);
    write_role(writer, key.role);
    writer.integer(KEY_ALGORITHM).integer(Algorithm::ED25519.0.into()).integer(KEY_PUBLIC).bytes(key.public);
    if let Some(owner) = key.owner {
        writer.integer(KEY_OWNER).text(owner);
    }
    if let Some(floor) = key.epoch_floor {
        writer.integer(KEY_EPOCH_FLOOR).unsigned(floor);
    }
}

fn write_role(writer: &mut Writer, role: Role<'_>) {
    match role {
        Role::Oem => writer.unsigned(0),
        Role::Operator => writer.unsigned(1),
        Role::Regulator => writer.unsigned(2),
        Role::Named(name) => writer.text(name),
    };
}

fn write_policy(writer: &mut Writer, policy: &mut NewPolicy<'_>) {
    policy.thresholds.sort_by(|left, right| left.role.order(&right.role));
    writer.map(3).integer(POLICY_CLASS);
    match &policy.class {
        Some(class) => writer.bytes(class),
        None => writer.null(),
    };
    writer.integer(POLICY_THRESHOLDS).array(length(policy.thresholds.len()));
    for threshold in &policy.thresholds {
        writer.array(2);
        write_role(writer, threshold.role);
        writer.unsigned(threshold.keys.into());
    }
    let unapproved = match policy.unapproved {
        Unapproved::Refuse => 0,
        Unapproved::Ask => 1,
    };
    writer.integer(POLICY_UNAPPROVED).unsigned(unapproved);
}

fn length(items: usize) -> u64 {
    u64::try_from(items).unwrap_or(u64::MAX)
}
