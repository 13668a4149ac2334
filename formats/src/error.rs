//! What a reader refuses, and where.

use core::fmt;

use crate::suit;

/// What an error says beside its reason: a value of `T` with the feature `details`, nothing without.
#[cfg(any(test, feature = "details"))]
pub type Detail<T> = T;

/// A value for an error to say.
#[cfg(any(test, feature = "details"))]
#[inline(always)]
pub fn detail<T>(value: T) -> Detail<T> {
    value
}

/// What an error says beside its reason: a value of `T` with the feature `details`, nothing without.
#[cfg(not(any(test, feature = "details")))]
pub type Detail<T> = Untold<T>;

/// A value for an error to say.
#[cfg(not(any(test, feature = "details")))]
#[inline(always)]
pub fn detail<T>(_: T) -> Detail<T> {
    Untold(core::marker::PhantomData)
}

/// In the place of a value that an error of this build does not say.
#[cfg(not(any(test, feature = "details")))]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Untold<T>(core::marker::PhantomData<T>);

#[cfg(not(any(test, feature = "details")))]
impl<T> fmt::Display for Untold<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("?")
    }
}

/// Why an input is not what it claims to be, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Offset in bytes from the start of the input that the reader was given, also when the fault is inside a nested byte string.
    pub at: Detail<usize>,
    /// The reason.
    pub kind: ErrorKind,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.kind, self.at)
    }
}

impl core::error::Error for DecodeError {}

/// Declares [`ErrorKind`] with code and text side by side, so that neither can be forgotten.
macro_rules! kinds {
    ($( $(#[doc = $doc:literal])* $name:ident $( ( $value:ident : $type:ty ) )? = $code:literal, $text:literal; )*) => {
        /// One reason for refusing an input. Codes are stable: never renumbered, never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $( $(#[doc = $doc])* $name $( (Detail<$type>) )?, )*
        }

        impl ErrorKind {
            /// The stable code: 1 to 199. `sealift-verify` continues the table from 200.
            #[must_use]
            pub fn code(self) -> u16 {
                match self { $( kinds!(@pattern $name $($value)?) => $code, )* }
            }
        }

        impl fmt::Display for ErrorKind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match *self { $( kinds!(@bind $name $($value)?) => write!(f, $text), )* }
            }
        }

        /// Every code, in the order of the table.
        pub const CODES: &[u16] = &[$($code),*];

        /// The same with names and what they mean: for interfaces that know nothing but the code.
        pub const TABLE: &[(u16, &str, &str)] = &[$(($code, stringify!($name), concat!($($doc),*))),*];
    };
    (@pattern $name:ident) => { ErrorKind::$name };
    (@pattern $name:ident $value:ident) => { ErrorKind::$name(_) };
    (@bind $name:ident) => { ErrorKind::$name };
    (@bind $name:ident $value:ident) => { ErrorKind::$name($value) };
}

kinds! {
    // 1-9: any format.
    /// The input ends inside an item.
    UnexpectedEnd = 1, "the input ends too early";
    /// Bytes follow the item that should be the last.
    TrailingBytes = 2, "bytes follow the end";
    /// A varint has more than 10 bytes or a value of 2^64 or more.
    VarintTooLong = 3, "a varint is too long";
    /// A varint ends with a byte that adds nothing.
    VarintNotShortest = 4, "a varint is not in its shortest form";

    // 10-29: CBOR.
    /// A CBOR head could be shorter.
    HeadNotShortest = 10, "a CBOR head is not in its shortest form";
    /// A CBOR item of indefinite length.
    IndefiniteLength = 11, "a CBOR item has an indefinite length";
    /// A CBOR head with reserved additional information (28 to 30).
    ReservedHead = 12, "a CBOR head is reserved";
    /// A CBOR item of another type than the format asks for.
    WrongType = 13, "a CBOR item has the wrong type";
    /// The keys of a map do not ascend.
    KeyOrder = 14, "the keys of a CBOR map are not in order";
    /// A key is twice in a map.
    DuplicateKey = 15, "a key is twice in a CBOR map";
    /// CBOR nested deeper than 8 items.
    TooDeep = 16, "CBOR items are nested too deep";
    /// A text string that is not UTF-8.
    NotUtf8 = 17, "a text is not UTF-8";
    /// A floating point number, or a simple value other than false, true and null.
    UnsupportedSimple = 18, "a CBOR simple value or float has no place here";
    /// An integer that does not fit its field.
    IntegerRange = 19, "an integer is out of range";
    /// An array, map or string of another length than the format asks for.
    WrongLength = 20, "an item has the wrong length";
    /// A key that the format does not have.
    UnknownKey = 21, "a map has a key that is not part of the format";
    /// A key that must be there is not.
    MissingKey = 22, "a map lacks a key that must be there";

    // 30-49: envelope.
    /// The input does not start with CBOR tag 107.
    NotAnEnvelope = 30, "this is not a SUIT envelope (CBOR tag 107)";
    /// The bytes before the payload exceed 4,096.
    EnvelopeTooLong = 31, "the envelope is longer than 4096 bytes without its payload";
    /// More than 8 authentication blocks.
    TooManyBlocks = 32, "the envelope has more than 8 authentication blocks";
    /// A digest by another algorithm than SHA-256.
    UnsupportedDigest(algorithm: i32) = 33, "digest algorithm {algorithm} is not supported, only SHA-256 (-16) is";

    // 50-69: COSE.
    /// A block that is not a COSE_Sign1 (CBOR tag 18).
    NotSign1 = 50, "the block is not a COSE_Sign1 (CBOR tag 18)";
    /// A signature by another algorithm than Ed25519.
    UnsupportedAlgorithm(algorithm: suit::Algorithm) = 51, "signature algorithm {algorithm} is not supported, only Ed25519 (-19) is";
    /// A header parameter that this format does not have.
    UnknownHeader(label: i32) = 52, "header parameter {label} is not part of the format";
    /// `crit` names something else than the CWT claims.
    UnknownCritical = 53, "the block demands a header parameter that is not understood";
    /// Claims without `crit`, or `crit` without claims.
    ClaimsNotCritical = 54, "approval claims and the demand to read them must come together";
    /// The unprotected header is not empty.
    UnprotectedHeader = 55, "the unprotected header is not empty";
    /// An audience that is not `urn:uuid:` and a lower-case UUID.
    AudienceForm = 56, "the audience of an approval is not a class of devices";
    /// A claim that this format does not have.
    UnknownClaim(claim: i32) = 57, "claim {claim} is not part of the format";
    /// The protected header is longer than any that can be written.
    HeaderTooLong = 58, "the protected header is too long";

    // 70-99: manifest.
    /// Another manifest version than 1.
    ManifestVersion(version: u32) = 70, "manifest version {version} is not supported";
    /// A command sequence, or a part of the manifest, that is not one of the templates.
    NotTheTemplate = 71, "the manifest does not follow the template";
    /// A digest or size that occurs twice is not the same both times.
    Contradiction = 72, "two places of the manifest contradict each other";
    /// A component name that is not printable ASCII.
    ComponentName = 73, "a component's name is not printable ASCII";
    /// The arguments of `apply patch` are of another patch version than 1.
    ApplyVersion(version: u32) = 74, "patch version {version} is not supported";
    /// The arguments of `apply patch` have a value that no patch header can have.
    ApplyRange = 75, "an argument of `apply patch` is out of range";
    /// A manifest of several components, where one of a single component is asked for.
    SeveralComponents = 76, "the package has several components, and one with a single component is needed here";
    /// More than 8 components.
    TooManyComponents = 77, "the manifest has more than 8 components";
    /// Two components have the same name.
    ComponentTwice = 78, "two components have the same name";

    // 100-129: trust record.
    /// The file does not start with `sealift-trust`.
    NotATrustFile = 100, "this is not a trust record";
    /// Another version of the trust record than 1.
    TrustVersion(version: u32) = 101, "trust record version {version} is not supported";
    /// No key, or more than 16.
    KeyCount = 102, "a trust record has 1 to 16 keys";
    /// No policy, or more than 8.
    PolicyCount = 103, "a trust record has 1 to 8 policies";
    /// Keys, roles or policies not in ascending order, or one of them twice.
    EntryOrder = 104, "keys, roles or policies are not in ascending order";
    /// One public key under two key ids.
    DuplicatePublicKey = 105, "one public key has two key ids";
    /// A role that is none of the known ones.
    RoleName = 106, "this is not a role";
    /// A policy that does not ask for an OEM signature.
    PolicyWithoutOem = 107, "a policy does not ask for the OEM's signature";
    /// More than 2,048 bytes.
    TrustRecordTooLong = 108, "the trust record is longer than 2048 bytes";

    // 130-199: patch.
    /// The patch does not start with `SLP`.
    PatchMagic = 130, "this is not a Sealift patch";
    /// Another patch version than 1.
    PatchVersion(version: u8) = 131, "patch version {version} is not supported";
    /// A profile that is neither `fast` nor `compact`.
    UnknownProfile(profile: u8) = 132, "patch profile {profile} is not known";
    /// An instruction set that is not in the table.
    UnknownInstructionSet(number: u8) = 133, "instruction set {number} is not known";
    /// A header field is out of range.
    HeaderRange = 134, "a field of the patch header is out of range";
    /// An extension that must be understood and is not.
    UnsupportedExtension(tag: u32) = 135, "unsupported extension {tag} in the patch header";
    /// Extensions out of order, too many, or too long.
    ExtensionForm = 136, "the extensions of the patch header are malformed";
    /// Chunks of another length or number than the format allows.
    ChunkForm = 137, "the chunks of the patch are malformed";
    /// A segment outside an image, empty, or overlapping another.
    SegmentRange = 138, "a segment of the patch is out of range";
    /// More segments than the reader has room for.
    TooManySegments = 139, "the patch has more segments than there is room for";
    /// The parameters of a profile are malformed.
    ProfileParameters = 140, "the parameters of the patch profile are malformed";
    /// `chunk_log2` is neither 0 nor 8 to 24.
    ChunkLog2(log2: u8) = 141, "chunks of 2^{log2} bytes are not allowed";
    /// `group_log2` is not 8 to 30.
    GroupLog2(log2: u8) = 142, "groups of 2^{log2} bytes are not allowed";
    /// `ram_log2` is neither 0 nor 13 to 22.
    RamLog2(log2: u8) = 143, "there is no RAM class of 2^{log2} bytes";
    /// More than 64 bytes of profile parameters.
    ParametersSize(size: u32) = 144, "{size} bytes of profile parameters are too many";
    /// The patch header has more than 4,352 bytes, or does not end in chunk 0.
    PatchHeaderTooLong = 145, "the patch header is too long";
    /// `window_log` of profile `fast` is not 10 to 27.
    WindowLog(log2: u8) = 146, "a window of 2^{log2} bytes is not allowed";
    /// A projection that is not in the table.
    UnknownProjection(number: u8) = 147, "projection {number} is not known";
    /// Count and sizes of the segment list contradict each other, or what came out does not have the size announced.
    SegmentListForm = 148, "the segment list does not have the size that it announces";
    /// A zstd frame with a dictionary, content size or checksum, or no zstd frame at all.
    FrameHead = 149, "a zstd frame does not have the head that the profile asks for";
    /// A zstd frame with a larger window than the parameters say.
    FrameWindow = 150, "a zstd frame has a larger window than the patch announces";
    /// A group without a byte from a frame has packed bytes of it, or the other way round.
    GroupForm = 151, "the sizes of a group contradict its content";
    /// A zstd frame gives fewer bytes than it should.
    FrameTooShort = 152, "a zstd frame yields fewer bytes than announced";
    /// A zstd frame gives more bytes than it should.
    FrameTooLong = 153, "a zstd frame yields more bytes than announced";
    /// A zstd frame does not end where its last bytes are, or goes on after its end.
    FrameEnd = 154, "a zstd frame does not end where it should";
    /// A zstd frame that does not decode.
    FrameCorrupt = 155, "a zstd frame is corrupt";
    /// The payload ends before the new image is complete, or after.
    PayloadSize = 156, "the payload does not have the size that the header announces";
    /// Sectors of an in-place patch are not of 2^8 to 2^17 bytes.
    InPlaceSector(log2: u8) = 157, "sectors of 2^{log2} bytes are not allowed in place";
    /// The in-place layout is too long, has too many runs or no scratch.
    InPlaceForm = 158, "the in-place layout of the patch is malformed";
    /// The in-place layout lists a sector twice or outside the new image, or does not list one that the old image does not have.
    InPlaceList = 159, "the in-place layout of the patch lists sectors that cannot be";
    /// An in-place layout in a patch that cannot have one: of another profile than `compact`, with groups of another size than sectors, or with type information.
    InPlaceProfile = 160, "this patch cannot be applied in place";
    /// The in-place layout keeps bytes that the old image does not have.
    InPlaceKept = 161, "the in-place layout of the patch keeps bytes outside the old image";
    /// A number of the table of executables is out of its range.
    ExecutableForm = 162, "the table of executables in the patch is malformed";
    /// An executable outside an image, before the end of the one before it, or with too long a span.
    ExecutableRange = 163, "an executable of the patch is out of range";

    // 180-189: capability record.
    /// The file does not start with `sealift-capabilities`.
    NotACapabilityFile = 180, "this is not a capability record";
    /// Another version of the capability record than 1.
    CapabilityVersion(version: u32) = 181, "capability record version {version} is not supported";
    /// A value of the capability record is out of range.
    CapabilityRange = 182, "a value of the capability record is out of range";
}

/// A number as an error shows it: cut to 32 bits, so that errors are small and cheap to return.
pub(crate) fn shown(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

/// The same of a signed number.
pub(crate) fn shown_signed(value: i64) -> i32 {
    i32::try_from(value).unwrap_or(if value < 0 { i32::MIN } else { i32::MAX })
}

impl ErrorKind {
    /// This reason at offset `at` of the input.
    #[inline]
    #[must_use]
    pub fn at(self, at: usize) -> DecodeError {
        DecodeError { at: detail(at), kind: self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn codes_ascend_and_stay_below_200() {
        assert!(CODES.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(CODES.iter().all(|code| (1..200).contains(code)));
    }

    #[test]
    fn the_refused_algorithm_is_named() {
        let kind = ErrorKind::UnsupportedAlgorithm(suit::Algorithm(-7));
        assert_eq!(kind.code(), 51);
        assert_eq!(kind.at(3).to_string(), "signature algorithm ES256 (-7) is not supported, only Ed25519 (-19) is (at byte 3)");
    }
}
