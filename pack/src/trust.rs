//! Editing trust records (SPEC section 7). Each change makes a new record with the next number, unsigned: the signatures over the record
//! before say nothing about it.

pub mod replacement;

use sealift_formats::DecodeError;
use sealift_formats::trust::{Key, MAX_KEYS, NewPolicy, NewTrustRecord, Role, Threshold, TrustFile, TrustRecord, Unapproved, write_file};
use uuid::Uuid;

use crate::hex;
use crate::keys::PublicKey;

/// A trust record was refused, or a change to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The bytes are no trust record.
    #[error("not a trust record of ours: {0}")]
    Form(DecodeError),
    /// The change would make a record that no device takes.
    #[error("the trust record cannot be written: {0}")]
    Write(DecodeError),
    /// The key is there already.
    #[error("key {key_id} is in the trust record already")]
    KeyThere {
        /// Its id, in hexadecimal.
        key_id: String,
    },
    /// No such key.
    #[error("key {key_id} is not in the trust record, which has {there}")]
    NoKey {
        /// The id asked for, in hexadecimal.
        key_id: String,
        /// The ids there are.
        there: String,
    },
    /// No such policy.
    #[error("the trust record has no policy for {0}")]
    NoPolicy(String),
    /// A text that is no role.
    #[error("`{0}` is no role: expected oem, operator, regulator, or a name of 1 to 16 printable characters")]
    Role(String),
    /// Floors never go down.
    #[error("the {what} is {current} and cannot go down to {asked}")]
    Floor {
        /// Which floor.
        what: String,
        /// The floor there is.
        current: u64,
        /// The floor asked for.
        asked: u64,
    },
    /// A key signs a record once.
    #[error("key {key_id} has signed this trust record already")]
    SignedAlready {
        /// The key's id, in hexadecimal.
        key_id: String,
    },
    /// The key does not sign.
    #[error("the key did not sign")]
    Signer(#[source] crate::signer::Error),
    /// The number of a record cannot grow beyond 64 bits.
    #[error("the trust record's number is the largest there is")]
    Number,
}

/// A key to put into a trust record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The key.
    pub public: PublicKey,
    /// What it may do: `oem`, `operator`, `regulator` or a name of the owner's own.
    pub role: String,
    /// Whose it is, for people.
    pub owner: Option<String>,
    /// Approvals with a lower epoch do not count.
    pub epoch_floor: Option<u64>,
}

/// A policy to put into a trust record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The class; `None`: every class without a policy of its own.
    pub class: Option<Uuid>,
    /// Roles, and how many keys of each must have signed.
    pub require: Vec<(String, u8)>,
    /// What happens to an unapproved package.
    pub unapproved: Unapproved,
}

#[derive(Clone, Debug)]
struct OwnedKey {
    id: Vec<u8>,
    public: [u8; 32],
    role: String,
    owner: Option<String>,
    epoch_floor: Option<u64>,
}

/// A trust record being edited.
#[derive(Clone, Debug)]
pub struct Trust {
    number: u64,
    sequence_floor: u64,
    keys: Vec<OwnedKey>,
    policies: Vec<Policy>,
}

impl Trust {
    /// The first record: one key, and for every class the policy that one OEM key must have signed and that everything else is refused.
    ///
    /// # Errors
    /// The role is none.
    pub fn new(key: NewKey) -> Result<Self, Error> {
        let policy = Policy { class: None, require: vec![("oem".into(), 1)], unapproved: Unapproved::Refuse };
        let mut trust = Self { number: 1, sequence_floor: 0, keys: Vec::new(), policies: vec![policy] };
        trust.insert(key)?;
        Ok(trust)
    }

    /// Reads a trust file.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let record = TrustFile::parse(bytes).map_err(Error::Form)?.record;
        let keys = record.keys().map(|key| OwnedKey {
            id: key.id.to_vec(),
            public: *key.public,
            role: key.role.name().to_owned(),
            owner: key.owner.map(str::to_owned),
            epoch_floor: key.epoch_floor,
        });
        let policies = record.policies().map(|policy| Policy {
            class: policy.class.map(|class| Uuid::from_bytes(*class)),
            require: policy.thresholds().map(|threshold| (threshold.role.name().to_owned(), threshold.keys)).collect(),
            unapproved: policy.unapproved,
        });
        Ok(Self { number: record.number, sequence_floor: record.sequence_floor, keys: keys.collect(), policies: policies.collect() })
    }

    /// The file: this record, without signatures.
    ///
    /// # Errors
    /// A device would not take the record.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let keys = self.keys.iter().map(|key| {
            let role = role(&key.role)?;
            Ok(Key { id: &key.id, role, public: &key.public, owner: key.owner.as_deref(), epoch_floor: key.epoch_floor })
        });
        let policies = self.policies.iter().map(|policy| {
            let thresholds = policy.require.iter().map(|(name, keys)| Ok(Threshold { role: role(name)?, keys: *keys }));
            Ok(NewPolicy { class: policy.class.map(Uuid::into_bytes), thresholds: thresholds.collect::<Result<_, Error>>()?, unapproved: policy.unapproved })
        });
        let record = NewTrustRecord {
            number: self.number,
            keys: keys.collect::<Result<_, Error>>()?,
            policies: policies.collect::<Result<_, Error>>()?,
            sequence_floor: self.sequence_floor,
        };
        write_file(&record.write().map_err(Error::Write)?, &[]).map_err(Error::Write)
    }

    /// Adds a key, in a record of the next number.
    ///
    /// # Errors
    /// The key is there, or its role is none.
    pub fn add(&mut self, key: NewKey) -> Result<(), Error> {
        self.insert(key)?;
        self.next()
    }

    /// Removes the key with this id, in a record of the next number.
    ///
    /// # Errors
    /// There is none.
    pub fn remove(&mut self, key_id: &[u8]) -> Result<(), Error> {
        let Some(index) = self.keys.iter().position(|key| key.id == key_id) else {
            let there: Vec<String> = self.keys.iter().map(|key| hex::encode(&key.id)).collect();
            return Err(Error::NoKey { key_id: hex::encode(key_id), there: there.join(", ") });
        };
        self.keys.remove(index);
        self.next()
    }

    /// Raises the lowest epoch that counts for a key's approvals, in a record of the next number.
    ///
    /// # Errors
    /// There is no such key, or the floor would go down.
    pub fn raise_epoch_floor(&mut self, key_id: &[u8], floor: u64) -> Result<(), Error> {
        let Some(key) = self.keys.iter_mut().find(|key| key.id == key_id) else {
            return Err(Error::NoKey { key_id: hex::encode(key_id), there: format!("{} others", self.keys.len()) });
        };
        if let Some(current) = key.epoch_floor.filter(|current| *current > floor) {
            return Err(Error::Floor { what: format!("epoch floor of key {}", hex::encode(key_id)), current, asked: floor });
        }
        key.epoch_floor = Some(floor);
        self.next()
    }

    /// Sets the policy for a class, in place of the one it has, in a record of the next number.
    ///
    /// # Errors
    /// A role is none.
    pub fn set_policy(&mut self, policy: Policy) -> Result<(), Error> {
        policy.require.iter().try_for_each(|(name, _)| role(name).map(|_| ()))?;
        self.policies.retain(|other| other.class != policy.class);
        self.policies.push(policy);
        self.next()
    }

    /// Removes the policy for a class, in a record of the next number.
    ///
    /// # Errors
    /// There is none.
    pub fn remove_policy(&mut self, class: Option<Uuid>) -> Result<(), Error> {
        let before = self.policies.len();
        self.policies.retain(|policy| policy.class != class);
        if self.policies.len() == before {
            return Err(Error::NoPolicy(class_name(class)));
        }
        self.next()
    }

    /// Raises the sequence number floor, in a record of the next number.
    ///
    /// # Errors
    /// It would go down.
    pub fn raise_sequence_floor(&mut self, floor: u64) -> Result<(), Error> {
        if floor < self.sequence_floor {
            return Err(Error::Floor { what: "sequence floor".into(), current: self.sequence_floor, asked: floor });
        }
        self.sequence_floor = floor;
        self.next()
    }

    /// The record's number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What no device could ever satisfy: a policy that asks for more keys of a role than the record has.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        for policy in &self.policies {
            for (role, needed) in &policy.require {
                let there = self.keys.iter().filter(|key| key.role == *role).count();
                if there < usize::from(*needed) {
                    let class = class_name(policy.class);
                    notes.push(format!("the policy for {class} asks for {needed} {role} key(s), the record has {there}: add the keys"));
                }
            }
        }
        notes
    }

    fn insert(&mut self, key: NewKey) -> Result<(), Error> {
        role(&key.role)?;
        let id = key.public.id().to_vec();
        if self.keys.iter().any(|other| other.id == id) {
            return Err(Error::KeyThere { key_id: hex::encode(&id) });
        }
        debug_assert!(self.keys.len() <= MAX_KEYS);
        self.keys.push(OwnedKey { id, public: key.public.bytes(), role: key.role, owner: key.owner, epoch_floor: key.epoch_floor });
        Ok(())
    }

    fn next(&mut self) -> Result<(), Error> {
        self.number = self.number.checked_add(1).ok_or(Error::Number)?;
        Ok(())
    }
}

/// A class, or the words for all of them.
#[must_use]
pub fn class_name(class: Option<Uuid>) -> String {
    class.map_or_else(|| "every other class".to_owned(), |class| format!("class {class}"))
}

/// The record in a trust file.
///
/// # Errors
/// It is none.
pub fn record(bytes: &[u8]) -> Result<TrustRecord<'_>, Error> {
    Ok(TrustFile::parse(bytes).map_err(Error::Form)?.record)
}

fn role(name: &str) -> Result<Role<'_>, Error> {
    Role::from_name(name).ok_or_else(|| Error::Role(name.to_owned()))
}

#[cfg(test)]
mod tests {
    use sealift_formats::trust::Unapproved;

    use super::{Error, NewKey, Policy, Trust};
    use crate::keys::PrivateKey;

    fn key(seed: u8, role: &str) -> NewKey {
        NewKey { public: PrivateKey::from_seed(&[seed; 32]).public(), role: role.into(), owner: Some("somebody".into()), epoch_floor: None }
    }

    #[test]
    fn each_change_raises_the_number_and_comes_back() {
        let mut trust = Trust::new(key(1, "oem")).unwrap();
        trust.add(key(2, "operator")).unwrap();
        let require = vec![("operator".into(), 1), ("oem".into(), 1)];
        trust.set_policy(Policy { class: None, require, unapproved: Unapproved::Ask }).unwrap();
        trust.raise_epoch_floor(&key(2, "").public.id(), 3).unwrap();
        trust.raise_sequence_floor(7).unwrap();
        let bytes = trust.to_bytes().unwrap();
        let back = Trust::parse(&bytes).unwrap();
        assert_eq!((back.number(), back.sequence_floor), (5, 7));
        assert_eq!(back.to_bytes().unwrap(), bytes);
        assert!(back.notes().is_empty());
    }

    #[test]
    fn refusals() {
        let mut trust = Trust::new(key(1, "oem")).unwrap();
        assert!(matches!(trust.add(key(1, "operator")), Err(Error::KeyThere { .. })));
        assert!(matches!(trust.add(key(2, "no spaces")), Err(Error::Role(_))));
        assert!(matches!(trust.remove(&[0; 8]), Err(Error::NoKey { .. })));
        trust.raise_sequence_floor(7).unwrap();
        assert!(matches!(trust.raise_sequence_floor(6), Err(Error::Floor { current: 7, asked: 6, .. })));
        trust.set_policy(Policy { class: None, require: vec![("operator".into(), 1)], unapproved: Unapproved::Refuse }).unwrap();
        assert!(matches!(trust.to_bytes(), Err(Error::Write(_))), "a policy without the OEM");
        assert_eq!(trust.notes().len(), 1);
    }
}
