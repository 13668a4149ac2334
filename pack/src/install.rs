//! Verifying and applying with the device's own code: `sealift-verify`, on the host's storage.

use sealift_formats::ErrorKind;
use sealift_formats::compact::header::{Class, Parameters};
use sealift_formats::compact::tables::OwnedTables;
use sealift_formats::envelope::Envelope;
use sealift_formats::manifest::{Manifest, ManifestSet};
use sealift_formats::patch::executable::SLOTS;
use sealift_formats::patch::{Executable, FastParameters, Geometry, Header, Parsed, Profile, Segment};
use sealift_formats::trust::TrustRecord;
use sealift_formats::varint::read_varint;
use sealift_verify::applier::{Applied, Applier, ApplyError, Decompressors, Expectation, Memory};
use sealift_verify::storage::{ReadImage, WriteImage};
use sealift_verify::{Consent, Dalek, DeviceState, Error as Reason, SetVerification, Verification, Verified, VerifiedSet, Verifier};

use crate::device_state::StateFile;
use crate::exit::Rejection;
use sealift_zstd::ZstdDecompressor;

/// Segments that the host has room for: 96 MiB. A patch with more is refused as a device would refuse it.
const MAX_SEGMENTS: u64 = 1 << 22;
/// Bytes of the patch that are handed to the applier at once.
const PIECE_BYTES: usize = 64 * 1024;
/// Bytes of the old image that are read at once.
const SCRATCH_BYTES: usize = 64 * 1024;

/// An update could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum Error<R: std::error::Error + 'static, W: std::error::Error + 'static> {
    /// The device's code refused it.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The old image could not be read.
    #[error("the old image could not be read")]
    OldImage(#[source] R),
    /// The new image could not be written.
    #[error("the new image could not be written")]
    NewImage(#[source] W),
    /// The applier was used wrongly: a fault of this program.
    #[error("the applier was called wrongly: {0}")]
    Misuse(Reason),
}

/// Checks a whole package as a device with this trust record and state would.
///
/// `consent` stands for the user's yes, where the trust record's policy leaves a missing approval to the user.
///
/// # Errors
/// The one reason why the device refuses the package.
pub fn verify<'a>(package: &'a [u8], trust: &'a TrustRecord<'a>, state: &'a DeviceState, consent: bool) -> Result<Verified<Manifest<'a>>, Rejection> {
    let verifier = Verifier { trust, state, signatures: Dalek };
    let verified = match verifier.verify(package).map_err(|reason| rejection(&reason))? {
        Verification::Accepted(verified) => verified,
        Verification::NeedsConsent(unconsented) if consent => unconsented.with_consent(Consent::by_user()),
        Verification::NeedsConsent(unconsented) => return Err(would_ask(&unconsented.reason())),
    };
    whole(package, verified.report().package_size)?;
    Ok(verified)
}

/// The same for packages of one component or several.
///
/// # Errors
/// The one reason why the device refuses the package.
pub fn verify_set<'a>(package: &'a [u8], trust: &'a TrustRecord<'a>, state: &'a DeviceState, consent: bool) -> Result<VerifiedSet<'a>, Rejection> {
    let verifier = Verifier { trust, state, signatures: Dalek };
    let verified = match verifier.verify_set(package).map_err(|reason| rejection(&reason))? {
        SetVerification::Accepted(verified) => verified,
        SetVerification::NeedsConsent(unconsented) if consent => unconsented.with_consent(Consent::by_user()),
        SetVerification::NeedsConsent(unconsented) => return Err(would_ask(&unconsented.reason())),
    };
    whole(package, verified.report().package_size)?;
    Ok(verified)
}

fn would_ask(reason: &Reason) -> Rejection {
    Rejection { code: reason.code(), reason: format!("{reason}; the device would ask its user"), hint: Some("--consent stands for the user's yes".into()) }
}

/// Whether the package has the bytes that it should have.
fn whole(package: &[u8], expected: u64) -> Result<(), Rejection> {
    let found = package.len() as u64;
    if found != expected {
        let kind = if found < expected { ErrorKind::UnexpectedEnd } else { ErrorKind::TrailingBytes };
        return Err(Rejection {
            code: kind.code(),
            reason: format!("{kind}: the package has {found} bytes, its envelope says {expected}"),
            hint: Some("get the package again: it was cut short, or something was added".into()),
        });
    }
    Ok(())
}

/// Applies a patch to `old`, into `new`, with the device's applier.
///
/// `progress` is told how many bytes of the patch were taken since it was told last.
///
/// # Errors
/// See [`Error`]. What `new` holds then is no image.
pub fn apply<O, N>(old: O, new: N, patch: &[u8], expectation: Expectation<'_>, progress: &mut dyn FnMut(u64)) -> Result<Applied, Error<O::Error, N::Error>>
where
    O: ReadImage<Error: std::error::Error + 'static>,
    N: WriteImage<Error: std::error::Error + 'static>,
{
    let needs = Needs::of(patch);
    let (mut chunk, mut group) = (vec![0; needs.chunk], vec![0; needs.group]);
    let mut segments = vec![Segment::default(); needs.segments];
    let mut scratch = vec![0; SCRATCH_BYTES];
    let mut tables = needs.class.as_ref().map(OwnedTables::new);
    let compact = tables.as_mut().map(OwnedTables::tables);
    let memory = Memory { chunk: &mut chunk, group: &mut group, segments: &mut segments, scratch: &mut scratch, compact };
    let decompressors = Decompressors { literal: ZstdDecompressor::new(), residual: ZstdDecompressor::new() };
    let mut applier = Applier::new(old, new, memory, decompressors, expectation).map_err(|reason| refusal(&reason))?;
    for piece in patch.chunks(PIECE_BYTES) {
        applier.update(piece).map_err(told)?;
        progress(piece.len() as u64);
    }
    applier.finish().map_err(told)
}

/// What the device knows of itself, where the file does not say: it is of the package's own class, and nothing was ever installed on it.
#[must_use]
pub fn device_state(file: Option<&StateFile>, package: &[u8], time: Option<u64>) -> DeviceState {
    if let Some(file) = file {
        return DeviceState {
            vendor: file.vendor.into_bytes(),
            class: file.class.into_bytes(),
            sequence_floor: file.sequence_floor,
            installed_manifest: file.installed_manifest(),
            security_counter: file.security_counter,
            time,
        };
    }
    // A package that cannot be opened is refused before its class matters.
    let set = Envelope::parse(package).and_then(|envelope| ManifestSet::parse_at(envelope.manifest, envelope.manifest_offset));
    let (vendor, class) = set.map_or_else(|_| Default::default(), |set| (set.first().vendor, set.first().class));
    DeviceState { vendor, class, sequence_floor: 0, installed_manifest: None, security_counter: 0, time }
}

/// A reason of the device's code, with advice for people at a terminal.
#[must_use]
pub fn rejection(reason: &Reason) -> Rejection {
    Rejection { code: reason.code(), reason: reason.to_string(), hint: hint(reason).map(str::to_owned) }
}

fn hint(reason: &Reason) -> Option<&'static str> {
    Some(match reason {
        Reason::Unsigned => "sealift sign PACKAGE --key KEY",
        Reason::OemThreshold { .. } => "sign it with OEM keys of the trust record: `sealift trust show TRUST` lists them",
        Reason::ManifestDigest | Reason::OemSignature | Reason::ChunkDigest | Reason::PatchDigest => {
            "the package was changed or damaged: get it again from where it was made"
        }
        Reason::ApprovalSignature => "ask for an approval of this very package: sealift approve PACKAGE",
        Reason::ApprovalMissing { .. } => "sealift approve PACKAGE --key KEY --operator ID, then sealift attach PACKAGE BLOCK",
        Reason::ApprovalByOemKey | Reason::ApprovalWithoutClaims => "approve with the key of an operator, as the trust record has it",
        Reason::ApprovalOtherClass | Reason::ApprovalExpired { .. } | Reason::ApprovalStaleEpoch { .. } => "ask for a new approval",
        Reason::ApprovalNotYetValid { .. } => "wait, or ask for an approval that begins earlier",
        Reason::SequenceBelowFloor { .. } | Reason::SequenceReused { .. } => "make the release with a higher sequence number",
        Reason::SecurityCounter { .. } => "make the release with a security counter as high as the device's",
        Reason::OtherVendor | Reason::OtherClass => "give the package for this class of devices: `sealift inspect PACKAGE` shows it",
        Reason::NoPolicy => "sealift trust policy TRUST --class any --require oem=1",
        Reason::Format(error) if error.kind == ErrorKind::SeveralComponents => {
            "`sealift verify`, `apply`, `inspect`, `rehearse` and `rebuild` take packages of several components; this does not"
        }
        Reason::OtherOldImage => "give the old image that the patch was made from, or use the full package",
        _ => return None,
    })
}

fn refusal<R: std::error::Error, W: std::error::Error>(reason: &Reason) -> Error<R, W> {
    if reason.is_rejection() { Error::Rejected(rejection(reason)) } else { Error::Misuse(*reason) }
}

fn told<R: std::error::Error, W: std::error::Error>(error: ApplyError<R, W>) -> Error<R, W> {
    match error {
        ApplyError::Refused(reason) => refusal(&reason),
        ApplyError::OldImage(error) => Error::OldImage(error),
        ApplyError::NewImage(error) => Error::NewImage(error),
    }
}

/// The class of the tables that a patch asks for, by its own word: all of profile `compact` do, and those of `fast` with projection.
pub(crate) fn class_of(header: &Header<'_>) -> Option<Class> {
    let parameters = match header.profile {
        Profile::Compact => Parameters::of_header(header).ok(),
        Profile::Fast => {
            let parameters = FastParameters::parse(header.parameters).ok();
            match parameters.and_then(|parameters| parameters.projection) {
                Some(fields) => Parameters::of_projection(header, fields).ok(),
                None => parameters.filter(|parameters| parameters.large).map(|_| Parameters::of_executable(&Executable::NONE)),
            }
        }
    };
    let class = parameters.and_then(|parameters| parameters.class());
    // Projection alone needs neither the model nor type information.
    class.map(|class| if header.profile == Profile::Fast { Class { slots: 0, calls: 0, types: 0, ..class } } else { class })
}

/// Slots of the segment list of a patch of profile `fast`: its first number, and in a large patch so many for each executable, which the fourth one counts.
fn slots_of(header: &Header<'_>, payload: &[u8]) -> u64 {
    let mut rest = payload;
    let mut number = || {
        let (value, length) = read_varint(rest).ok()?;
        rest = rest.get(length..)?;
        Some(value)
    };
    let count = number().unwrap_or(0);
    let large = FastParameters::parse(header.parameters).is_ok_and(|parameters| parameters.large);
    let executables = if large { number().and_then(|_| number()).and_then(|_| number()).unwrap_or(0) } else { 0 };
    count.saturating_add(executables.saturating_mul(SLOTS as u64))
}

/// Memory that a patch asks for, by its own word: the applier checks everything again, and refuses what does not fit.
struct Needs {
    chunk: usize,
    group: usize,
    segments: usize,
    /// Of profile `compact`.
    class: Option<Class>,
}

impl Needs {
    fn of(patch: &[u8]) -> Self {
        let size = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
        let Ok(Parsed::Complete { header, length }) = Header::parse(patch) else {
            // Refused at its header.
            return Self { chunk: patch.len().max(1), group: 1, segments: 0, class: None };
        };
        let chunk = Geometry::of_patch(patch.len() as u64, header.chunk_log2).map_or(patch.len() as u64, |geometry| geometry.chunk_size);
        let class = class_of(&header);
        let count = match header.profile {
            Profile::Fast => patch.get(length..).map_or(0, |payload| slots_of(&header, payload)),
            Profile::Compact => 0,
        };
        Self {
            chunk: size(chunk.max(1)),
            group: size(header.group_size().min(header.new_size).max(1)),
            segments: size(count.min(header.new_size).min(MAX_SEGMENTS)),
            class,
        }
    }
}
