//! Approvals: which of them count, and what is missing.

use sealift_formats::approval::Claims;
use sealift_formats::trust::{Key, Policy, Role, TrustRecord};

use crate::error::Error;
use crate::state::DeviceState;
use sealift_formats::error::detail;

/// The approvals of a package, as they are found to hold.
///
/// Call [`judge`](Self::judge) for each block whose signature holds, then [`shortfall`](Self::shortfall).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Approvals<'a> {
    trust: &'a TrustRecord<'a>,
    state: &'a DeviceState,
    counted: u16,
}

impl<'a> Approvals<'a> {
    pub(crate) fn new(trust: &'a TrustRecord<'a>, state: &'a DeviceState) -> Self {
        Approvals { trust, state, counted: 0 }
    }

    /// The keys whose approval counts, as [`TrustRecord::bit_of`] makes such sets.
    pub(crate) fn counted(&self) -> u16 {
        self.counted
    }

    /// Counts the approval by `key`, or says why it does not count.
    pub(crate) fn judge(&mut self, key: &Key<'_>, claims: Option<&Claims<'_>>) -> Result<(), Error> {
        match (key.role, claims) {
            // The OEM's own signature: not an approval, and not a failed one either.
            (Role::Oem, None) => return Ok(()),
            (Role::Oem, Some(_)) => return Err(Error::ApprovalByOemKey),
            (_, None) => return Err(Error::ApprovalWithoutClaims),
            (_, Some(claims)) => self.holds(key, claims)?,
        }
        self.counted |= self.trust.bit_of(key.id);
        Ok(())
    }

    /// Audience, time, epoch, in this order.
    fn holds(&self, key: &Key<'_>, claims: &Claims<'_>) -> Result<(), Error> {
        if claims.audience.is_some_and(|class| class != self.state.class) {
            return Err(Error::ApprovalOtherClass);
        }
        if let Some(now) = self.state.time {
            if let Some(not_before) = claims.not_before.filter(|start| now < *start) {
                return Err(Error::ApprovalNotYetValid { now: detail(now), not_before: detail(not_before) });
            }
            if let Some(not_after) = claims.not_after.filter(|end| now >= *end) {
                return Err(Error::ApprovalExpired { now: detail(now), not_after: detail(not_after) });
            }
        }
        let (found, floor) = (claims.epoch.unwrap_or(0), key.epoch_floor.unwrap_or(0));
        if found < floor {
            return Err(Error::ApprovalStaleEpoch { found: detail(found), floor: detail(floor) });
        }
        Ok(())
    }

    /// The first role with fewer approvals than `policy` asks for: the role, how many were found, how many are needed.
    pub(crate) fn shortfall(&self, policy: &Policy<'a>) -> Option<(Role<'a>, u8, u8)> {
        let others = policy.thresholds().filter(|threshold| threshold.role != Role::Oem);
        others.map(|threshold| (threshold.role, count(self.trust, self.counted, threshold.role), threshold.keys)).find(|(_, found, needed)| found < needed)
    }
}

/// How many keys of a set have this role.
pub(crate) fn count(trust: &TrustRecord<'_>, set: u16, role: Role<'_>) -> u8 {
    trust.keys_in(set).filter(|key| key.role == role).fold(0_u8, |count, _| count.saturating_add(1))
}
