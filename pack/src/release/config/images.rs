//! `new` and `path`: the image of one component, or those of several, as a directory or a list.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use sealift_formats::manifest::MAX_COMPONENTS;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use toml::Spanned;

use super::place::Place;
use super::{ComponentImage, Error};
use crate::components::{self, is_name};
use crate::image_input::{Format, ImageSource};

/// What stands behind the field.
#[derive(Clone)]
pub(super) enum ImagesField {
    /// A file, or a directory with a file for each component.
    Path(PathBuf),
    /// The components in the order of the manifest.
    List(Vec<Spanned<ComponentTable>>),
}

/// One component of a list.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct ComponentTable {
    component: Spanned<String>,
    path: Spanned<PathBuf>,
    format: Option<Spanned<String>>,
}

/// What was found there.
pub(super) enum Images {
    /// One image, whose component is named elsewhere.
    One(ImageSource),
    /// The components by their names: of a directory in the order of the names, of a list in its own.
    Components(Vec<ComponentImage>),
}

/// The new images, whose form those of the old ones follow.
pub(super) enum Parts {
    /// A file.
    One(ComponentImage),
    /// A directory or a list.
    Components(Vec<ComponentImage>),
}

impl Parts {
    /// Whether there is more than one component.
    pub(super) fn is_several(&self) -> bool {
        matches!(self, Self::Components(parts) if parts.len() > 1)
    }

    /// Whether what is at a path can be of this form.
    pub(super) fn is_alike(&self, path: &Path) -> bool {
        match self {
            Self::One(_) => path.is_file(),
            Self::Components(_) => path.is_dir(),
        }
    }

    pub(super) fn into_images(self) -> Vec<ComponentImage> {
        match self {
            Self::One(image) => vec![image],
            Self::Components(images) => images,
        }
    }
}

impl<'de> Deserialize<'de> for ImagesField {
    /// By hand, since what serde tries one after the other has no place in the file any more when it fails.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = ImagesField;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a file, a directory of components, or a list of { component, path }")
            }

            fn visit_str<E>(self, path: &str) -> Result<ImagesField, E> {
                Ok(ImagesField::Path(path.into()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<ImagesField, A::Error> {
                let mut components = Vec::new();
                while let Some(component) = list.next_element()? {
                    components.push(component);
                }
                Ok(ImagesField::List(components))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

impl Place<'_> {
    /// The images behind a field. `format` is how the files hold them, where a list does not say it.
    pub(super) fn images(&self, field: &str, value: &Spanned<ImagesField>, format: Option<Format>) -> Result<Images, Error> {
        match value.as_ref() {
            ImagesField::Path(path) if self.folder().join(path).is_dir() => {
                let files = components::files(&self.folder().join(path)).map_err(|error| self.wrong(value.span(), field, &error.to_string()))?;
                let image = |(component, path)| ComponentImage { component, image: ImageSource { path, format } };
                Ok(Images::Components(files.into_iter().map(image).collect()))
            }
            ImagesField::Path(path) => {
                let path = self.existing(field, &Spanned::new(value.span(), path.clone()))?;
                Ok(Images::One(ImageSource { path, format }))
            }
            ImagesField::List(tables) => self.listed(field, value, tables, format).map(Images::Components),
        }
    }

    fn listed(
        &self,
        field: &str,
        value: &Spanned<ImagesField>,
        tables: &[Spanned<ComponentTable>],
        format: Option<Format>,
    ) -> Result<Vec<ComponentImage>, Error> {
        if !(1..=MAX_COMPONENTS).contains(&tables.len()) {
            return Err(self.at(value.span(), field, format!("a list of {}", tables.len()), "1 to 8 components"));
        }
        let mut names = BTreeSet::new();
        let mut images = Vec::new();
        for table in tables.iter().map(Spanned::as_ref) {
            let component = &table.component;
            if !is_name(component.as_ref()) {
                return Err(self.error("component", component, COMPONENT_FORM));
            }
            if !names.insert(component.as_ref()) {
                return Err(self.error("component", component, "each component once"));
            }
            let format = table.format.as_ref().map(|own| self.format(own)).transpose()?.or(format);
            let image = ImageSource { path: self.existing("component path", &table.path)?, format };
            images.push(ComponentImage { component: component.as_ref().clone(), image });
        }
        Ok(images)
    }
}

/// What components are named.
pub(super) const COMPONENT_FORM: &str = "1 to 32 printable ASCII characters, not `patch`";
