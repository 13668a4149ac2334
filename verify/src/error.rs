//! Every reason for which the device side refuses or fails.

use core::fmt;

use sealift_formats::DecodeError;
use sealift_formats::error::Detail;
use sealift_formats::trust::Role;

/// Who has to act: the groups of [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// The input is not of the format (codes 1 to 199).
    Format,
    /// Bytes are not what a signature or digest says (200 to 299).
    Authenticity,
    /// Authentic, but not for this device or not allowed now (300 to 399).
    Policy,
    /// Within the format, but more than this device has room for (400 to 499).
    Limit,
    /// Reading or writing the device's storage failed (500 to 599).
    Storage,
    /// The caller called at the wrong time or with too little room (600 to 699).
    Misuse,
}

/// The name of a role, without a lifetime.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RoleName {
    bytes: [u8; 16],
    length: usize,
}

impl RoleName {
    /// The role's name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl From<Role<'_>> for RoleName {
    fn from(role: Role<'_>) -> Self {
        let mut bytes = [0; 16];
        let mut length = 0;
        // A trust record holds names of at most 16 bytes.
        for (to, from) in bytes.iter_mut().zip(role.name().bytes()) {
            *to = from;
            length = usize::saturating_add(length, 1);
        }
        RoleName { bytes, length }
    }
}

impl fmt::Debug for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Declares [`Error`] with code and text side by side, so that neither can be forgotten.
macro_rules! errors {
    ($( $(#[doc = $doc:literal])* $name:ident $( { $( $(#[$field_doc:meta])* $field:ident : $type:ty ),+ } )? = $code:literal, $text:literal; )*) => {
        /// One reason for refusing a package, or for not being able to install it.
        ///
        /// Codes are stable: never renumbered, never reused. They are the numbers of the C interface too.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Error {
            /// The input is not of the format. Its codes are those of [`ErrorKind`](sealift_formats::ErrorKind), 1 to 199.
            Format(DecodeError),
            $( $(#[doc = $doc])* $name $( { $( $(#[$field_doc])* $field: Detail<$type> ),+ } )?, )*
        }

        impl Error {
            /// The stable code, 1 to 699.
            #[must_use]
            pub fn code(&self) -> u16 {
                match *self {
                    Error::Format(ref error) => error.kind.code(),
                    $( Error::$name { .. } => $code, )*
                }
            }
        }

        impl fmt::Display for Error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self {
                    Error::Format(ref error) => fmt::Display::fmt(error, f),
                    $( Error::$name $( { $($field),+ } )? => write!(f, $text), )*
                }
            }
        }

        /// Every code but those of the formats, in the order of the table.
        pub const CODES: &[u16] = &[$($code),*];

        /// The same with names and what they mean: for interfaces that know nothing but the code.
        pub const TABLE: &[(u16, &str, &str)] = &[$(($code, stringify!($name), concat!($($doc),*))),*];
    };
}

errors! {
    // 200-299: authenticity.
    /// The manifest does not have the digest that the envelope says.
    ManifestDigest = 200, "the manifest's digest is not the one in the envelope";
    /// The package has no authentication block at all.
    Unsigned = 201, "the package is not signed";
    /// A signature by a known OEM key does not hold.
    OemSignature = 202, "an OEM signature does not hold";
    /// A signature by a known key of another role does not hold: the approval is for another manifest, or was changed.
    ApprovalSignature = 203, "an approval's signature does not hold: it is for another manifest, or was changed";
    /// Fewer OEM keys have signed than the policy asks for.
    OemThreshold {
        /// OEM keys that have signed.
        found: u8,
        /// OEM keys that must have.
        needed: u8
    } = 204, "signed by {found} of the {needed} OEM keys that must have signed";
    /// The text does not have the digest that the manifest says.
    TextDigest = 205, "the text's digest is not the one in the manifest";
    /// There is a text, but the manifest has no digest for it.
    TextUnsigned = 206, "the text is not covered by the signature";
    /// A chunk of the patch is not the one that was signed.
    ChunkDigest = 207, "a chunk of the patch is not the one that was signed";
    /// The patch as a whole is not the one that was signed.
    PatchDigest = 208, "the patch is not the one that was signed";
    /// The new image is not the one that was signed.
    NewImageDigest = 209, "the new image is not the one that was signed";
    /// The new image does not have the CRC that the patch header says.
    NewImageCrc = 210, "the new image does not have the CRC that the patch header says";
    /// A new trust record was not signed by enough keys of the record in force.
    TrustThresholdCurrent {
        /// OEM keys of the record in force that have signed.
        found: u8,
        /// OEM keys that must have.
        needed: u8
    } = 220, "the new trust record is signed by {found} of the {needed} OEM keys of the record in force that must have signed";
    /// A new trust record was not signed by enough of its own keys.
    TrustThresholdNew {
        /// OEM keys of the new record that have signed.
        found: u8,
        /// OEM keys that must have.
        needed: u8
    } = 221, "the new trust record is signed by {found} of the {needed} of its own OEM keys that must have signed";
    /// A signature over a trust record by a known key does not hold.
    TrustSignature = 222, "a signature over the trust record does not hold";
    /// A signature over a capability record by the key asked for does not hold.
    CapabilitySignature = 223, "a signature over the capability record does not hold";

    // 300-399: policy.
    /// The trust record has no policy for this class.
    NoPolicy = 300, "the trust record has no policy for this class of devices";
    /// The package is for a device of another vendor.
    OtherVendor = 301, "the package is for another vendor's devices";
    /// The package is for another class of devices.
    OtherClass = 302, "the package is for another class of devices";
    /// The sequence number is below the floor.
    SequenceBelowFloor {
        /// The manifest's sequence number.
        found: u64,
        /// The device's floor.
        floor: u64
    } = 303, "sequence number {found} is below the device's floor {floor}";
    /// Another manifest has the same sequence number already.
    SequenceReused {
        /// The sequence number of both.
        number: u64
    } = 304, "another manifest with sequence number {number} is installed";
    /// The security counter is below the device's.
    SecurityCounter {
        /// The manifest's.
        found: u64,
        /// The device's.
        counter: u64
    } = 305, "security counter {found} is below the device's {counter}";
    /// Keys of a role are missing, and no approval was there that failed another check.
    ApprovalMissing {
        /// The role.
        role: RoleName,
        /// Keys of the role that have signed.
        found: u8,
        /// Keys of the role that must have.
        needed: u8
    } = 310, "approved by {found} of the {needed} keys of role {role} that must have approved";
    /// An approval was made with an OEM's key.
    ApprovalByOemKey = 311, "the approval was made with an OEM key, which cannot approve";
    /// A key that approves has signed without the claims of an approval.
    ApprovalWithoutClaims = 312, "the approval has no claims";
    /// An approval is for another class of devices.
    ApprovalOtherClass = 313, "the approval is for another class of devices";
    /// An approval is not valid yet.
    ApprovalNotYetValid {
        /// The device's time, in seconds since 1970.
        now: u64,
        /// When the approval starts.
        not_before: u64
    } = 314, "the approval is not yet valid: it is {now}, valid from {not_before} (seconds since 1970)";
    /// An approval has expired.
    ApprovalExpired {
        /// The device's time, in seconds since 1970.
        now: u64,
        /// When the approval ended.
        not_after: u64
    } = 315, "the approval has expired: it is {now}, valid before {not_after} (seconds since 1970)";
    /// An approval's epoch is below the floor for its key.
    ApprovalStaleEpoch {
        /// The approval's epoch; 0 when it has none.
        found: u64,
        /// The floor in the trust record.
        floor: u64
    } = 316, "the approval's epoch {found} is below the floor {floor} for its key";
    /// The image on the device is not the one that the patch is for.
    OtherOldImage = 320, "the patch is for another old image";
    /// The patch header says otherwise than the signed manifest.
    HeaderContradictsManifest = 321, "the patch header contradicts the signed manifest";
    /// A package of several components whose names, or their order, are not those of the device.
    OtherComponents = 322, "the package is not for the components of this device";
    /// The patch is for the envelope's payload, and there is none.
    PayloadMissing = 330, "the manifest says that the patch is in the package, and it is not";
    /// The envelope has a payload, and the patch is to come from elsewhere.
    PayloadNotNamed = 331, "the package has a payload that the manifest does not name";
    /// The payload has another size than the manifest says.
    PayloadSize {
        /// Bytes in the envelope.
        found: u64,
        /// Bytes that the manifest says.
        expected: u64
    } = 332, "the payload has {found} bytes, the manifest says {expected}";
    /// A new trust record does not have a higher number than the one in force.
    TrustNumber {
        /// The number of the new record.
        found: u64,
        /// The number of the record in force.
        current: u64
    } = 340, "trust record {found} does not replace record {current}: its number must be higher";
    /// A new trust record lowers the sequence number floor.
    TrustFloor {
        /// The floor in the new record.
        found: u64,
        /// The floor in the record in force.
        current: u64
    } = 341, "the new trust record lowers the sequence floor from {current} to {found}";

    // 400-499: limits of this device.
    /// The patch has a larger chunk than this device has room for.
    ChunkTooLarge = 400, "a chunk of the patch is larger than the memory for it";
    /// The patch has a larger group than this device has room for.
    GroupTooLarge = 401, "a group of the patch is larger than the memory for it";
    /// The patch has more segments than this device has room for.
    TooManySegments = 402, "the patch has more segments than the memory for them";
    /// The patch needs a larger window than this device has room for.
    WindowTooLarge = 403, "the patch needs a larger window than the memory for it";
    /// The patch is of a RAM class above this device's.
    RamClass = 404, "the patch needs more memory than this device has";
    /// The image is larger than the slot.
    ImageTooLarge = 405, "the image is larger than the slot for it";
    /// A profile or instruction set that this build has no code for.
    NotBuiltIn = 406, "this device has no code for the patch's profile or instruction set";
    /// The patch is of a later version than the device's applier reads.
    ApplierVersion = 407, "the device's applier is too old for the patch";
    /// The device's applier has no code for the patch's profile.
    ProfileUnsupported = 408, "the device's applier has no code for the patch's profile";
    /// The device's applier has no code for the patch's instruction set.
    InstructionSetUnsupported = 409, "the device's applier has no code for the patch's instruction set";
    /// The patch is to be applied in place, which the device cannot do.
    InPlaceUnsupported = 410, "the device takes no patches in place";
    /// The patch is to be applied in place, for sectors of another size.
    SectorSize = 411, "the patch is for flash sectors of another size";

    /// The state of the decoder needs more flash than there is for it.
    StateTooLarge = 412, "the decoder's state is larger than the flash for it";
    /// The patch is to be applied in place with more scratch than there is.
    ScratchTooSmall = 413, "the patch needs more scratch than this device has";
    /// The update needs a second slot, or a scratch, that the device has not.
    NoSlot = 414, "this device has no slot or scratch for such an update";

    // 500-599: storage.
    /// The old image could not be read.
    OldImageRead = 500, "the old image could not be read";
    /// The new image's storage could not be written.
    NewImageWrite = 501, "the new image could not be written";
    /// The new image's storage could not be erased.
    NewImageErase = 502, "the new image's storage could not be erased";
    /// The new image could not be read back.
    NewImageRead = 503, "the new image could not be read back";

    /// The flash could not be read or written.
    Flash = 504, "the flash could not be read, erased or programmed";
    /// A saved state is not what was saved.
    StateDamaged = 505, "the decoder's saved state is damaged";

    // 600-699: misuse.
    /// A call after one that failed.
    AfterError = 600, "called again after an error";
    /// A call after the end.
    AfterEnd = 601, "called again after the end";
    /// The end was asked for before all bytes were there.
    Unfinished = 602, "ended before all bytes of the patch were there";
    /// A buffer is smaller than its documentation asks for.
    BufferTooSmall = 603, "a buffer is too small";
    /// A range outside the slot, or against its alignment.
    OutOfBounds = 604, "a range is outside the slot";
    /// The device does not know which image it has: it was not provisioned.
    NotProvisioned = 605, "the journal is empty: the device was not provisioned";
    /// An update waits for the next start, for confirmation, or to be taken back.
    UpdatePending = 606, "another update is not settled: start or confirm it first";
    /// Regions of the flash overlap, are not whole sectors, or are too small for their use.
    Layout = 607, "the regions of the flash overlap, are misaligned or too small";
    /// A pointer of the C interface is null where there must be something.
    NullPointer = 608, "a pointer is null";
    /// A state of the C interface was not begun, or has ended.
    NotBegun = 609, "the state was not begun, or has ended";
}

impl Error {
    /// Who has to act.
    #[must_use]
    pub fn group(&self) -> Group {
        match self.code() {
            0..200 => Group::Format,
            200..300 => Group::Authenticity,
            300..400 => Group::Policy,
            400..500 => Group::Limit,
            500..600 => Group::Storage,
            _ => Group::Misuse,
        }
    }

    /// Whether the package (or patch, or trust record) was refused, as opposed to something going wrong with a good one: all groups but
    /// [`Group::Storage`] and [`Group::Misuse`].
    #[must_use]
    pub fn is_rejection(&self) -> bool {
        !matches!(self.group(), Group::Storage | Group::Misuse)
    }
}

impl From<DecodeError> for Error {
    fn from(error: DecodeError) -> Self {
        Error::Format(error)
    }
}

impl core::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;
    use sealift_formats::ErrorKind;
    use std::string::ToString;

    #[test]
    fn codes_ascend_from_200() {
        assert!(CODES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(CODES.iter().all(|code| (200..700).contains(code)));
    }

    #[test]
    fn groups_follow_the_codes() {
        for (error, group, rejection) in [
            (ErrorKind::UnexpectedEnd.at(1).into(), Group::Format, true),
            (Error::ManifestDigest, Group::Authenticity, true),
            (Error::OtherClass, Group::Policy, true),
            (Error::RamClass, Group::Limit, true),
            (Error::OldImageRead, Group::Storage, false),
            (Error::AfterError, Group::Misuse, false),
        ] {
            assert_eq!((error.group(), error.is_rejection()), (group, rejection), "{error}");
        }
    }

    #[test]
    fn texts_say_what_was_found() {
        let role = Role::Named("carrier-lab").into();
        let error = Error::ApprovalMissing { role, found: 0, needed: 2 };
        assert_eq!(error.to_string(), "approved by 0 of the 2 keys of role carrier-lab that must have approved");
        assert_eq!(RoleName::from(Role::Named("sixteen-bytes-ok")).as_str(), "sixteen-bytes-ok");
    }
}
