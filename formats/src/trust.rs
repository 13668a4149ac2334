//! The trust record, SPEC 7: which keys a device knows, in which roles, and what it demands of them.

use core::cmp::Ordering;

use crate::cbor::{Reader, Type};
use crate::cose::MAX_KEY_ID_BYTES;
use crate::envelope::Blocks;
use crate::error::{DecodeError, ErrorKind};
use crate::suit::Algorithm;

/// Most keys of a record.
pub const MAX_KEYS: usize = 16;
/// Most policies of a record.
pub const MAX_POLICIES: usize = 8;
/// Most roles that one policy asks for.
pub const MAX_THRESHOLDS: usize = 8;
/// Most signatures over a record in its file: one a key.
pub const MAX_RECORD_BLOCKS: usize = MAX_KEYS;
/// Longest name of a role of the owner's own, in bytes.
pub const MAX_ROLE_BYTES: usize = 16;
/// Longest owner of a key, in bytes.
pub const MAX_OWNER_BYTES: usize = 32;
/// Most bytes of a record, without the signatures over it: what a device keeps.
pub const MAX_RECORD_BYTES: usize = 2048;
/// The first element of the file.
pub const MAGIC: &str = "sealift-trust";
/// The external bytes of signatures over a record.
pub const EXTERNAL: &[u8] = MAGIC.as_bytes();

const VERSION: u64 = 1;
const RECORD_VERSION: i64 = 1;
const RECORD_NUMBER: i64 = 2;
const RECORD_KEYS: i64 = 3;
const RECORD_POLICIES: i64 = 4;
const RECORD_FLOOR: i64 = 5;
const KEY_ID: i64 = 1;
const KEY_ROLE: i64 = 2;
const KEY_ALGORITHM: i64 = 3;
const KEY_PUBLIC: i64 = 4;
const KEY_OWNER: i64 = 5;
const KEY_EPOCH_FLOOR: i64 = 6;
const POLICY_CLASS: i64 = 1;
const POLICY_THRESHOLDS: i64 = 2;
const POLICY_UNAPPROVED: i64 = 3;

/// The bit of a set of keys that stands for the `index`th key of a record.
const fn bit(index: u32) -> u16 {
    match 1_u16.checked_shl(index) {
        Some(bit) => bit,
        None => 0,
    }
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role<'a> {
    /// Makes firmware: its signature is needed before anything else is looked at.
    Oem,
    /// Approves for a network.
    Operator,
    /// Approves for an authority.
    Regulator,
    /// A role of the owner's own: 1 to 16 bytes of printable ASCII, none of the names above.
    Named(&'a str),
}

impl<'a> Role<'a> {
    const KNOWN: [Role<'static>; 3] = [Role::Oem, Role::Operator, Role::Regulator];

    /// The role's name.
    #[must_use]
    pub fn name(&self) -> &'a str {
        match self {
            Role::Oem => "oem",
            Role::Operator => "operator",
            Role::Regulator => "regulator",
            Role::Named(name) => name,
        }
    }

    /// The role with this name; `None` if no role can have it.
    #[must_use]
    pub fn from_name(name: &'a str) -> Option<Self> {
        if let Some(known) = Self::KNOWN.into_iter().find(|role| role.name() == name) {
            return Some(known);
        }
        let printable = name.bytes().all(|byte| (0x21..=0x7e).contains(&byte));
        ((1..=MAX_ROLE_BYTES).contains(&name.len()) && printable).then_some(Role::Named(name))
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        let role = match reader.peek()? {
            Type::Text => match Role::from_name(reader.text()?) {
                Some(role @ Role::Named(_)) => Some(role),
                _ => None,
            },
            _ => usize::try_from(reader.unsigned()?).ok().and_then(|number| Self::KNOWN.get(number)).copied(),
        };
        role.ok_or(ErrorKind::RoleName.at(start))
    }

    /// The order of the encodings: the known ones, then by length, then by name.
    fn order(&self, other: &Role<'_>) -> Ordering {
        let rank = |role: &Role<'_>| match role {
            Role::Oem => (0, 0),
            Role::Operator => (1, 0),
            Role::Regulator => (2, 0),
            Role::Named(name) => (3, name.len()),
        };
        rank(self).cmp(&rank(other)).then_with(|| self.name().cmp(other.name()))
    }
}

/// One key of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Its id, 1 to 16 bytes.
    pub id: &'a [u8],
    /// What it may do.
    pub role: Role<'a>,
    /// The Ed25519 public key.
    pub public: &'a [u8; 32],
    /// Whose it is, for people: 1 to 32 bytes.
    pub owner: Option<&'a str>,
    /// Approvals by this key with a lower epoch do not count.
    pub epoch_floor: Option<u64>,
}

impl<'a> Key<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut map = reader.map()?;
        map.required(reader, KEY_ID)?;
        let start = reader.offset();
        let id = reader.bytes()?;
        if id.is_empty() || id.len() > MAX_KEY_ID_BYTES {
            return Err(ErrorKind::WrongLength.at(start));
        }
        map.required(reader, KEY_ROLE)?;
        let role = Role::read(reader)?;
        map.required(reader, KEY_ALGORITHM)?;
        let start = reader.offset();
        let algorithm = Algorithm::of(reader.integer()?);
        if algorithm != Algorithm::ED25519 {
            return Err(ErrorKind::UnsupportedAlgorithm(crate::error::detail(algorithm)).at(start));
        }
        map.required(reader, KEY_PUBLIC)?;
        let public = reader.bytes_of::<32>()?;
        let owner = map.optional(reader, KEY_OWNER)?.then(|| reader.text_of(1, MAX_OWNER_BYTES)).transpose()?;
        let epoch_floor = map.optional(reader, KEY_EPOCH_FLOOR)?.then(|| reader.unsigned()).transpose()?;
        map.end(reader)?;
        Ok(Key { id, role, public, owner, epoch_floor })
    }
}

/// The order of the encodings of byte strings: the shorter first.
fn byte_order(left: &[u8], right: &[u8]) -> Ordering {
    left.len().cmp(&right.len()).then_with(|| left.cmp(right))
}

/// What happens to a package that the OEM has signed but another role has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unapproved {
    /// It is refused.
    Refuse,
    /// The user is asked.
    Ask,
}

/// What a class of devices demands.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// The class; `None`: every class without a policy of its own.
    pub class: Option<&'a [u8; 16]>,
    /// What happens to an unapproved package.
    pub unapproved: Unapproved,
    thresholds: Reader<'a>,
    threshold_count: u64,
}

/// How many keys of a role must have signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold<'a> {
    /// The role.
    pub role: Role<'a>,
    /// Distinct keys, at least 1.
    pub keys: u8,
}

impl<'a> Threshold<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        reader.array_of(2)?;
        let role = Role::read(reader)?;
        let start = reader.offset();
        let keys = reader.byte()?;
        if keys == 0 || usize::from(keys) > MAX_KEYS {
            return Err(ErrorKind::IntegerRange.at(start));
        }
        Ok(Threshold { role, keys })
    }
}

impl<'a> Policy<'a> {
    /// The thresholds, in the order of the roles. That of the OEM is the first.
    pub fn thresholds(&self) -> impl Iterator<Item = Threshold<'a>> + use<'a> {
        let (mut reader, count) = (self.thresholds, self.threshold_count);
        (0..count).map_while(move |_| Threshold::read(&mut reader).ok())
    }

    /// How many OEM keys must have signed: at least 1.
    #[must_use]
    pub fn oem_threshold(&self) -> u8 {
        // A policy without is refused when it is read.
        self.thresholds().find(|threshold| threshold.role == Role::Oem).map_or(u8::MAX, |threshold| threshold.keys)
    }

    fn read(reader: &mut Reader<'a>) -> Result<Self, DecodeError> {
        let mut map = reader.map()?;
        map.required(reader, POLICY_CLASS)?;
        let class = match reader.peek()? {
            Type::Simple => reader.null().map(|()| None)?,
            _ => Some(reader.bytes_of::<16>()?),
        };
        map.required(reader, POLICY_THRESHOLDS)?;
        let start = reader.offset();
        let threshold_count = reader.array()?;
        if !(1..=MAX_THRESHOLDS).contains(&usize::try_from(threshold_count).unwrap_or(usize::MAX)) {
            return Err(ErrorKind::WrongLength.at(start));
        }
        let thresholds = *reader;
        let mut last: Option<Role<'a>> = None;
        for _ in 0..threshold_count {
            let start = reader.offset();
            let role = Threshold::read(reader)?.role;
            match last {
                // `oem` sorts before all others.
                None if role != Role::Oem => return Err(ErrorKind::PolicyWithoutOem.at(start)),
                Some(last) if last.order(&role) != Ordering::Less => return Err(ErrorKind::EntryOrder.at(start)),
                _ => last = Some(role),
            }
        }
        map.required(reader, POLICY_UNAPPROVED)?;
        let start = reader.offset();
        let unapproved = match reader.unsigned()? {
            0 => Unapproved::Refuse,
            1 => Unapproved::Ask,
            _ => return Err(ErrorKind::IntegerRange.at(start)),
        };
        map.end(reader)?;
        Ok(Policy { class, unapproved, thresholds, threshold_count })
    }
}

/// The order of the encodings: classes, then none.
fn class_order(left: Option<&[u8; 16]>, right: Option<&[u8; 16]>) -> Ordering {
    left.is_none().cmp(&right.is_none()).then_with(|| left.cmp(&right))
}

/// What a device trusts.
#[derive(Clone, Copy, Debug)]
pub struct TrustRecord<'a> {
    /// Number of the record: a replacement has a higher one.
    pub number: u64,
    /// No manifest with a lower sequence number is taken.
    pub sequence_floor: u64,
    keys: Reader<'a>,
    key_count: u64,
    policies: Reader<'a>,
    policy_count: u64,
}

impl<'a> TrustRecord<'a> {
    /// Reads a record without its file: the content of the file's second element.
    ///
    /// # Errors
    /// The first way in which it is not of the form of SPEC 7.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        Self::read(Reader::new(bytes))
    }

    /// The keys, in the order of their ids.
    pub fn keys(&self) -> impl Iterator<Item = Key<'a>> + use<'a> {
        let (mut reader, count) = (self.keys, self.key_count);
        (0..count).map_while(move |_| Key::read(&mut reader).ok())
    }

    /// The key with this id.
    #[must_use]
    pub fn key(&self, id: &[u8]) -> Option<Key<'a>> {
        self.keys().find(|key| key.id == id)
    }

    /// The set that holds only the key with this id: a bit for each key, in their order. 0 if there is none.
    #[must_use]
    pub fn bit_of(&self, id: &[u8]) -> u16 {
        (0_u32..).zip(self.keys()).find(|(_, key)| key.id == id).map_or(0, |(index, _)| bit(index))
    }

    /// The keys of a set that [`bit_of`](Self::bit_of) made.
    pub fn keys_in(&self, set: u16) -> impl Iterator<Item = Key<'a>> + use<'a> {
        (0_u32..).zip(self.keys()).filter(move |(index, _)| set & bit(*index) != 0).map(|(_, key)| key)
    }

    /// The policies, in the order of their classes, the one for all classes last.
    pub fn policies(&self) -> impl Iterator<Item = Policy<'a>> + use<'a> {
        let (mut reader, count) = (self.policies, self.policy_count);
        (0..count).map_while(move |_| Policy::read(&mut reader).ok())
    }

    /// What this class demands: its own policy, or that for all classes.
    #[must_use]
    pub fn policy_for(&self, class: &[u8; 16]) -> Option<Policy<'a>> {
        self.policies().find(|policy| policy.class.is_none_or(|own| own == class))
    }

    fn read(mut reader: Reader<'a>) -> Result<Self, DecodeError> {
        let reader = &mut reader;
        if reader.rest().len() > MAX_RECORD_BYTES {
            return Err(reader.error(ErrorKind::TrustRecordTooLong));
        }
        let mut map = reader.map()?;
        map.required(reader, RECORD_VERSION)?;
        let start = reader.offset();
        match reader.unsigned()? {
            VERSION => {}
            other => return Err(ErrorKind::TrustVersion(crate::error::detail(crate::error::shown(other))).at(start)),
        }
        map.required(reader, RECORD_NUMBER)?;
        let number = reader.unsigned()?;
        map.required(reader, RECORD_KEYS)?;
        let (key_count, keys) = read_keys(reader)?;
        map.required(reader, RECORD_POLICIES)?;
        let (policy_count, policies) = read_policies(reader)?;
        map.required(reader, RECORD_FLOOR)?;
        let sequence_floor = reader.unsigned()?;
        map.end(reader)?;
        reader.finish()?;
        Ok(TrustRecord { number, sequence_floor, keys, key_count, policies, policy_count })
    }
}

fn read_keys<'a>(reader: &mut Reader<'a>) -> Result<(u64, Reader<'a>), DecodeError> {
    let count = count(reader, MAX_KEYS, ErrorKind::KeyCount)?;
    let keys = *reader;
    let mut last: Option<Key<'a>> = None;
    for index in 0..count {
        let start = reader.offset();
        let key = Key::read(reader)?;
        if last.is_some_and(|last| byte_order(last.id, key.id) != Ordering::Less) {
            return Err(ErrorKind::EntryOrder.at(start));
        }
        let mut before = keys;
        for _ in 0..index {
            if Key::read(&mut before)?.public == key.public {
                return Err(ErrorKind::DuplicatePublicKey.at(start));
            }
        }
        last = Some(key);
    }
    Ok((count, keys))
}

fn read_policies<'a>(reader: &mut Reader<'a>) -> Result<(u64, Reader<'a>), DecodeError> {
    let count = count(reader, MAX_POLICIES, ErrorKind::PolicyCount)?;
    let policies = *reader;
    let mut last: Option<Policy<'a>> = None;
    for _ in 0..count {
        let start = reader.offset();
        let policy = Policy::read(reader)?;
        if last.is_some_and(|last| class_order(last.class, policy.class) != Ordering::Less) {
            return Err(ErrorKind::EntryOrder.at(start));
        }
        last = Some(policy);
    }
    Ok((count, policies))
}

fn count(reader: &mut Reader<'_>, most: usize, kind: ErrorKind) -> Result<u64, DecodeError> {
    let start = reader.offset();
    let count = reader.array()?;
    let fits = usize::try_from(count).is_ok_and(|count| (1..=most).contains(&count));
    if fits { Ok(count) } else { Err(kind.at(start)) }
}

/// A trust record and the signatures over it.
#[derive(Clone, Debug)]
pub struct TrustFile<'a> {
    /// The record.
    pub record: TrustRecord<'a>,
    /// The record's bytes, whose SHA-256 the signatures cover.
    pub record_bytes: &'a [u8],
    blocks: Blocks<'a>,
}

impl<'a> TrustFile<'a> {
    /// Reads a file. Signatures are not checked: [`blocks`](Self::blocks).
    ///
    /// # Errors
    /// The first way in which it is not of the form of SPEC 7.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        let magic = (reader.array_of(3), reader.text());
        if magic != (Ok(()), Ok(MAGIC)) {
            return Err(ErrorKind::NotATrustFile.at(0));
        }
        let record = reader.nested()?;
        let record_bytes = record.rest();
        let start = reader.offset();
        let count = usize::try_from(reader.array()?).unwrap_or(usize::MAX);
        if count > MAX_RECORD_BLOCKS {
            return Err(ErrorKind::TooManyBlocks.at(start));
        }
        let blocks = Blocks { reader, left: count };
        for _ in 0..count {
            reader.bytes()?;
        }
        reader.finish()?;
        blocks.clone().try_for_each(|block| block.map(|_| ()))?;
        Ok(TrustFile { record: TrustRecord::read(record)?, record_bytes, blocks })
    }

    /// The signatures over the record: `external` is [`EXTERNAL`], the payload the [`digest_item`](crate::cose::digest_item) of the
    /// SHA-256 of [`record_bytes`](Self::record_bytes).
    #[must_use]
    pub fn blocks(&self) -> Blocks<'a> {
        self.blocks.clone()
    }
}

#[cfg(any(test, feature = "alloc"))]
pub use writer::{NewPolicy, NewTrustRecord, write_file};

#[cfg(any(test, feature = "alloc"))]
mod writer;

#[cfg(test)]
mod tests;
