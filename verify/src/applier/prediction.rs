//! What the bytes of a segment are predicted to be in profile `fast`: the old bytes, or what projection makes of them (SPEC section 3.4).

use sealift_formats::compact::header::Parameters;
use sealift_formats::compact::parameters::CompactParameters;
use sealift_formats::compact::tables::Tables;
#[cfg(feature = "large")]
use sealift_formats::compact::{
    map,
    parameters::model,
    projection::{Given, Projection, SHORTEST_PROJECTED},
};
use sealift_formats::patch::{Header, Segment};

#[cfg(feature = "large")]
use super::compact::Old;
use super::error::{ApplyError, refused};
#[cfg(feature = "large")]
use super::executables::Executables;
use super::runs::Run;
use super::sizes::to_u64;
use crate::error::Error;
use crate::storage::ReadImage;

/// Where predictions come from.
#[allow(clippy::large_enum_variant, reason = "there is no heap to put the large one on")]
pub(super) enum Prediction<'m, O: ReadImage> {
    /// The old image's bytes.
    Plain(O, core::marker::PhantomData<&'m ()>),
    /// The same with references moved.
    #[cfg(feature = "large")]
    Projected(Projection<'m, Old<O>>),
    /// The same, in the executables of a large image.
    #[cfg(feature = "large")]
    Executables(Executables<'m, O>),
}

impl<O: ReadImage> core::fmt::Debug for Prediction<'_, O> {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Prediction")
    }
}

/// Whether this build can project for a header that asks for it.
pub(super) fn check(header: &Header<'_>, fields: CompactParameters) -> Result<(), Error> {
    Parameters::of_projection(header, fields).map_err(|kind| refused(kind, 0))?;
    #[cfg(feature = "large")]
    return model(header.instruction_set).map(|_| ()).ok_or(Error::NotBuiltIn);
    #[cfg(not(feature = "large"))]
    Err(Error::NotBuiltIn)
}

impl<'m, O: ReadImage> Prediction<'m, O> {
    /// Predictions from the old bytes.
    pub(super) fn plain(old: O) -> Self {
        Self::Plain(old, core::marker::PhantomData)
    }

    /// Predictions with references moved, in tables of the largest class.
    #[cfg(feature = "large")]
    pub(super) fn projected(header: &Header<'_>, fields: CompactParameters, old: O, tables: Option<Tables<'m>>) -> Result<Self, Error> {
        let parameters = Parameters::of_projection(header, fields).map_err(|kind| refused(kind, 0))?;
        let class = parameters.class().ok_or(Error::RamClass)?;
        let model = model(header.instruction_set).ok_or(Error::NotBuiltIn)?;
        let tables = tables.ok_or(Error::NotBuiltIn)?;
        Projection::new(tables, parameters, &class, model, Old::new(old)).map(Self::Projected).ok_or(Error::RamClass)
    }

    /// Never called: [`check`] has refused.
    #[cfg(not(feature = "large"))]
    pub(super) fn projected(_header: &Header<'_>, _fields: CompactParameters, _old: O, _tables: Option<Tables<'m>>) -> Result<Self, Error> {
        Err(Error::NotBuiltIn)
    }

    /// Predictions in a large image.
    #[cfg(feature = "large")]
    pub(super) fn executables(old: O, tables: Option<Tables<'m>>) -> Result<Self, Error> {
        Executables::new(old, tables.ok_or(Error::NotBuiltIn)?).map(Self::Executables)
    }

    /// Never called: such a patch was refused.
    #[cfg(not(feature = "large"))]
    pub(super) fn executables(_old: O, _tables: Option<Tables<'m>>) -> Result<Self, Error> {
        Err(Error::NotBuiltIn)
    }

    /// The new image is made up to `at`.
    #[cfg_attr(not(feature = "large"), allow(unused_variables, clippy::unnecessary_wraps, reason = "there are no executables"))]
    #[inline]
    pub(super) fn reach(&mut self, at: u64, segments: &[Segment], slots: &[Segment]) -> Result<(), Error> {
        #[cfg(feature = "large")]
        if let Self::Executables(executables) = self {
            executables.reach(at, segments, slots)?;
        }
        Ok(())
    }

    /// Learns the whole segment list, and the `executables` kept in `slots`.
    #[cfg_attr(not(feature = "large"), allow(unused_variables, clippy::unnecessary_wraps, reason = "there is no map"))]
    pub(super) fn enter(&mut self, segments: &[Segment], executables: u64, slots: &[Segment]) -> Result<(), Error> {
        match self {
            Self::Plain(..) => {}
            #[cfg(feature = "large")]
            Self::Executables(all) => all.enter(executables, slots)?,
            #[cfg(feature = "large")]
            Self::Projected(projection) => {
                for segment in segments.iter().filter(|segment| segment.length >= SHORTEST_PROJECTED) {
                    if !projection.enter(narrow(segment)?) {
                        return Err(Error::TooManySegments);
                    }
                }
                projection.finish_map();
            }
        }
        Ok(())
    }

    /// Adds what is predicted to the residuals at the start of `bytes`, all of them or as many as `scratch` has room for; says how many. They are those of `run`,
    /// which lies in `segment`; where that is of whole blocks, it is the old bytes.
    pub(super) fn add<W>(&mut self, run: &Run, segment: &Segment, whole: bool, bytes: &mut [u8], scratch: &mut [u8]) -> Result<u64, ApplyError<O::Error, W>> {
        let source = run.source.unwrap_or(0);
        let old = match self {
            Self::Plain(old, _) => old,
            #[cfg(feature = "large")]
            Self::Projected(projection) if segment.length >= SHORTEST_PROJECTED => {
                let into = u32::try_from(run.start.saturating_sub(segment.new_start)).map_err(|_| Error::TooManySegments)?;
                projection.run(narrow(segment)?, into, bytes, Given::Residuals);
                if projection.failed() {
                    let error = projection.old_image_mut().take_error();
                    return Err(error.map_or(Error::AfterError.into(), ApplyError::OldImage));
                }
                return Ok(to_u64(bytes.len()));
            }
            #[cfg(feature = "large")]
            Self::Projected(projection) => projection.old_image_mut().image_mut(),
            #[cfg(feature = "large")]
            Self::Executables(executables) => {
                if !whole && executables.add(run, segment, bytes)? {
                    return Ok(to_u64(bytes.len()));
                }
                executables.image_mut()
            }
        };
        let _ = (segment, whole);
        let length = bytes.len().min(scratch.len());
        let predicted = scratch.get_mut(..length).filter(|bytes| !bytes.is_empty()).ok_or(Error::BufferTooSmall)?;
        old.read(source, predicted).map_err(ApplyError::OldImage)?;
        for (residual, predicted) in bytes.iter_mut().zip(predicted.iter()) {
            *residual = residual.wrapping_add(*predicted);
        }
        Ok(to_u64(length))
    }
}

/// The segment as the address map has it; the reader of the list has found it within both images, which are small.
#[cfg(feature = "large")]
fn narrow(segment: &Segment) -> Result<map::Segment, Error> {
    let small = |value: u64| u32::try_from(value).map_err(|_| Error::TooManySegments);
    Ok(map::Segment { new: small(segment.new_start)?, old: small(segment.old_start)?, length: small(segment.length)? })
}
