//! `[[old]]`: the images in the field, by path or by pattern.

use std::cmp::Ordering;
use std::path::Path;

use glob::{MatchOptions, Pattern};
use toml::Spanned;

use super::file::OldTable;
use super::images::{Images, ImagesField, Parts};
use super::place::{Place, is_name};
use super::{Error, OldImage};
use crate::image_input::{Format, ImageSource};

/// What stands for the version in `version-from`.
const VERSION: &str = "{version}";

/// A star is a part of one name, and files whose name begins with a dot are asked for by name.
const MATCHING: MatchOptions = MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

impl Place<'_> {
    /// In the order of the file; those of a pattern in the order of their versions. `new` says which components there are.
    pub(super) fn old_images(&self, tables: &[Spanned<OldTable>], format: Option<Format>, new: &Parts) -> Result<Vec<OldImage>, Error> {
        let mut old: Vec<OldImage> = Vec::new();
        for spanned in tables {
            let table = spanned.as_ref();
            let own = table.format.as_ref().map(|own| self.format(own)).transpose()?.or(format);
            let images = match (&table.path, &table.glob) {
                (Some(path), None) => {
                    if let Some(value) = &table.version_from {
                        return Err(self.error("version-from", value, "glob beside it: a path has its version in `version`"));
                    }
                    let version = table.version.as_ref().ok_or_else(|| self.missing(spanned.span().start, "version"))?;
                    let images = self.old_parts("old path", path, own, new)?;
                    vec![OldImage { version: self.name("old version", version)?, images }]
                }
                (None, Some(glob)) => {
                    if let Some(value) = &table.version {
                        return Err(self.error("version", value, "path beside it: with glob, version-from tells each version"));
                    }
                    self.found(glob, table.version_from.as_ref(), own, new)?
                }
                (Some(_), Some(glob)) => return Err(self.error("glob", glob, "one of path and glob")),
                (None, None) => return Err(self.missing(spanned.span().start, "path or glob")),
            };
            let at = table.version.as_ref().or(table.glob.as_ref()).map_or(spanned.span(), Spanned::span);
            for image in images {
                if old.iter().any(|other| other.version == image.version) || image.version == "full" {
                    return Err(self.at(at, "old version", image.version, "each version once, and none called `full`"));
                }
                old.push(image);
            }
        }
        Ok(old)
    }

    /// The old images behind a field, in the order of the new ones.
    fn old_parts(&self, field: &str, value: &Spanned<ImagesField>, format: Option<Format>, new: &Parts) -> Result<Vec<Option<ImageSource>>, Error> {
        let found = || match value.as_ref() {
            ImagesField::Path(path) => self.folder().join(path).display().to_string(),
            ImagesField::List(_) => "a list".to_owned(),
        };
        match (self.images(field, value, format)?, new) {
            (Images::One(image), Parts::One(_)) => Ok(vec![Some(image)]),
            (Images::One(_), Parts::Components(_)) => Err(self.at(value.span(), field, found(), "a directory or a list of components, as `new` is")),
            (Images::Components(_), Parts::One(_)) => Err(self.at(value.span(), field, found(), "a file, as `new` is")),
            (Images::Components(mut old), Parts::Components(new)) => {
                let images = new.iter().map(|part| {
                    let at = old.iter().position(|old| old.component == part.component)?;
                    Some(old.remove(at).image)
                });
                let images: Vec<_> = images.collect();
                if let Some(gone) = old.first() {
                    let what = format!(
                        "component `{}` is not among the new images: a package names every component of the device, so put the image that it keeps there as well",
                        gone.component
                    );
                    return Err(self.wrong(value.span(), field, &what));
                }
                if images.iter().all(Option::is_none) {
                    return Err(self.wrong(value.span(), field, "no component of the new images is among these"));
                }
                Ok(images)
            }
        }
    }

    /// What a pattern finds: files, or directories of components.
    fn found(&self, glob: &Spanned<String>, version_from: Option<&Spanned<String>>, format: Option<Format>, new: &Parts) -> Result<Vec<OldImage>, Error> {
        let text = glob.as_ref();
        let version_from = match version_from {
            Some(given) if given.as_ref().matches(VERSION).count() == 1 => given.clone(),
            Some(given) => return Err(self.error("version-from", given, "the pattern of glob with {version} once in it, as in field/{version}/app.bin")),
            None if text.matches('*').count() == 1 && !text.contains(['?', '[']) => Spanned::new(glob.span(), text.replace('*', VERSION)),
            None => return Err(self.error("glob", glob, "version-from beside it, since not one star alone stands for the version")),
        };
        let (before, after) = version_from.as_ref().split_once(VERSION).unwrap_or_default();
        let pattern =
            |part: &str| Pattern::new(part).map_err(|_| self.error("version-from", &version_from, "a pattern: `*`, `?` and `[...]` stand for letters"));
        let (before, after) = (pattern(before)?, pattern(after)?);
        let folder = Pattern::escape(&self.folder().to_string_lossy());
        let whole = Path::new(&folder).join(text);
        let paths = glob::glob_with(&whole.to_string_lossy(), MATCHING);
        let paths =
            paths.map_err(|error| self.at(glob.span(), "glob", format!("{text} ({})", error.msg), "a pattern: `*`, `?` and `[...]` stand for letters"))?;
        let mut found = Vec::new();
        for path in paths {
            let path = path.map_err(|error| self.at(glob.span(), "glob", error.to_string(), "folders that can be read"))?;
            if !new.is_alike(&path) {
                continue;
            }
            let inside = path.strip_prefix(self.folder()).unwrap_or(&path).to_path_buf();
            let name = inside.to_string_lossy().into_owned();
            let version = version_in(&name, &before, &after);
            let version = version.ok_or_else(|| self.at(version_from.span(), "version-from", name.clone(), "a path that it finds a version in"))?.to_owned();
            let images = self.old_parts("glob", &Spanned::new(glob.span(), ImagesField::Path(inside.clone())), format, new)?;
            found.push((OldImage { version, images }, inside));
        }
        if found.is_empty() {
            let expected = match new {
                Parts::One(_) => "a pattern that finds a file (it counts from this file's folder)",
                Parts::Components(_) => "a pattern that finds a directory of components, as `new` is (it counts from this file's folder)",
            };
            return Err(self.error("glob", glob, expected));
        }
        found.sort_by(|(left, left_path), (right, right_path)| natural_order(&left.version, &right.version).then_with(|| left_path.cmp(right_path)));
        Ok(found.into_iter().map(|(old, _)| old).collect())
    }
}

/// The first, and there the longest, part of a path that is a version with the right things around it.
fn version_in<'a>(path: &'a str, before: &Pattern, after: &Pattern) -> Option<&'a str> {
    let starts = path.char_indices().map(|(at, _)| at).filter(|at| before.matches_with(&path[..*at], MATCHING));
    starts.into_iter().find_map(|start| {
        let rest = &path[start..];
        let ends = rest.char_indices().map(|(at, letter)| at + letter.len_utf8()).rev();
        ends.map(|end| rest.split_at(end)).find(|(version, rest)| is_name(version) && after.matches_with(rest, MATCHING)).map(|(version, _)| version)
    })
}

/// `1.9` before `1.10`: digits count as numbers.
fn natural_order(left: &str, right: &str) -> Ordering {
    let (mut left_rest, mut right_rest) = (left, right);
    while !left_rest.is_empty() && !right_rest.is_empty() {
        let (left_piece, right_piece);
        (left_piece, left_rest) = piece(left_rest);
        (right_piece, right_rest) = piece(right_rest);
        let is_number = |piece: &str| piece.starts_with(|first: char| first.is_ascii_digit());
        let order = if is_number(left_piece) && is_number(right_piece) {
            let (left, right) = (left_piece.trim_start_matches('0'), right_piece.trim_start_matches('0'));
            left.len().cmp(&right.len()).then_with(|| left.cmp(right))
        } else {
            left_piece.cmp(right_piece)
        };
        if order.is_ne() {
            return order;
        }
    }
    // What is left over is later; of `01` and `1`, which are the same number, the text decides.
    left_rest.len().cmp(&right_rest.len()).then_with(|| left.cmp(right))
}

/// The digits at the beginning, or what is before the first digit; and the rest.
fn piece(text: &str) -> (&str, &str) {
    let digits = text.starts_with(|first: char| first.is_ascii_digit());
    text.split_at(text.find(|letter: char| letter.is_ascii_digit() != digits).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_count_as_numbers() {
        let mut versions = ["1.10", "1.9", "2.0-rc2", "2.0-rc10", "2.0", "01.9", "1.9a", "b", "a"];
        versions.sort_by(|left, right| natural_order(left, right));
        assert_eq!(versions, ["01.9", "1.9", "1.9a", "1.10", "2.0", "2.0-rc2", "2.0-rc10", "a", "b"]);
    }

    #[test]
    fn versions_stand_where_the_pattern_says() {
        let version = |path, from: &str| {
            let (before, after) = from.split_once(VERSION).unwrap();
            version_in(path, &Pattern::new(before).unwrap(), &Pattern::new(after).unwrap()).map(str::to_owned)
        };
        assert_eq!(version("field/1.0/app.bin", "field/{version}/app.bin").as_deref(), Some("1.0"));
        assert_eq!(version("app-1.0.bin", "app-{version}.bin").as_deref(), Some("1.0"));
        assert_eq!(version("eu/1.0-rc1/app.bin", "*/{version}/*.bin").as_deref(), Some("1.0-rc1"));
        assert_eq!(version("field/a b/app.bin", "field/{version}/app.bin"), None);
        assert_eq!(version("field/x/1.0/app.bin", "field/{version}/app.bin"), None);
    }
}
