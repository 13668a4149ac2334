//! What is too large for a release, by `[limits]` of the release file.

use super::config::{Limits, Model};
use super::report::{Kind, Omitted, Package};

/// Why a package must not be in the release; `None`: it may. `ram` is what its patch takes; `None`: a device with an operating system.
pub(super) fn exceeded(limits: &Limits, package: u64, ram: Option<u64>) -> Option<String> {
    if let Some(most) = limits.max_package.filter(|most| package > *most) {
        return Some(format!("it has {package} bytes, [limits] max-package is {most}"));
    }
    match (limits.max_ram, ram) {
        (Some(most), None) => Some(format!("its patch is for a device with an operating system, [limits] max-ram is {most} bytes: give [delta] ram")),
        (Some(most), Some(ram)) if ram > most => Some(format!("its patch takes {ram} bytes of memory, [limits] max-ram is {most}")),
        _ => None,
    }
}

/// Takes out the deltas that save too little, and says so. What comes out is no longer in the release.
pub(super) fn take_out_large_deltas(models: &[Model], packages: &mut Vec<Package>, omitted: &mut Vec<Omitted>) -> Vec<Package> {
    let mut out = Vec::new();
    for model in models {
        let Some(percent) = model.limits.delta_percent else { continue };
        let is_full = |package: &&Package| package.kind == Kind::Full && package.model == model.name;
        let Some(full) = packages.iter().find(is_full).map(|package| package.package.size) else { continue };
        let is_large = |package: &mut Package| {
            package.kind == Kind::Delta && package.model == model.name && u128::from(package.package.size) * 100 > u128::from(full) * u128::from(percent)
        };
        for package in packages.extract_if(.., is_large) {
            let size = package.package.size;
            let reason = format!("its package has {size} bytes, more than {percent} % of the {full} of the full one, which serves it ([limits] delta-percent)");
            omitted.push(Omitted { model: package.model.clone(), from: package.from.clone().unwrap_or_default(), reason });
            out.push(package);
        }
    }
    out
}
