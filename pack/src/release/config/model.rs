//! One model, from its own table and what all have in common.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::{Spanned, Value};

use super::file::{File, LimitsTable, ModelTable, Shared};
use super::images::{COMPONENT_FORM, Images, Parts};
use super::place::Place;
use super::{ComponentImage, Error, LanguageText, Limits, Model};
use crate::components::is_name;
use crate::package::ids;
use crate::rehearsal::Cuts;
use crate::release::rehearse::CUTS;

impl Place<'_> {
    /// Every model; one without a name where the file has no table of models.
    pub(super) fn models(&self, file: &File, product: &str, version: &str) -> Result<Vec<Model>, Error> {
        let all = file.shared();
        if file.model.is_empty() {
            return Ok(vec![self.model(&all, None, None, file.release.span(), (product, format!("{product}-{version}")))?]);
        }
        let mut models = Vec::new();
        for table in &file.model {
            let name = self.name("model name", &table.as_ref().name)?;
            let stem = format!("{product}-{name}-{version}");
            let model = self.model(&all, Some(&table.as_ref().shared()), Some(name), table.span(), (product, stem))?;
            self.refuse_twins(&models, &model, table.as_ref())?;
            models.push(model);
        }
        self.refuse_same_names(&models)?;
        Ok(models)
    }

    fn model(&self, all: &Shared, own: Option<&Shared>, name: Option<String>, span: Range<usize>, (product, stem): (&str, String)) -> Result<Model, Error> {
        let missing = |field| self.missing(span.start, field);
        let component = own.and_then(|own| own.component.as_ref()).or(all.component.as_ref());
        if let Some(wrong) = component.filter(|component| !is_name(component.as_ref())) {
            return Err(self.error("component", wrong, COMPONENT_FORM));
        }
        let vendor = own.and_then(|own| own.vendor.as_ref()).or(all.vendor.as_ref()).ok_or_else(|| missing("vendor"))?;
        let vendor = ids::vendor(vendor.as_ref()).ok_or_else(|| self.error("vendor", vendor, "a UUID or a domain name"))?;
        let class = own.and_then(|own| own.class.as_ref()).or(all.class.as_ref()).ok_or_else(|| missing("class"))?;
        let class = ids::class(&vendor, class.as_ref()).ok_or_else(|| self.error("class", class, "a UUID or a model name"))?;
        let new = own.and_then(|own| own.new.as_ref()).or(all.new.as_ref()).ok_or_else(|| missing("new"))?;
        let format = own.and_then(|own| own.format.as_ref()).or(all.format.as_ref()).map(|format| self.format(format)).transpose()?;
        let (component, new) = match self.images("new", new, format)? {
            Images::One(image) => {
                let component = component.ok_or_else(|| missing("component"))?.as_ref().clone();
                (component.clone(), Parts::One(ComponentImage { component, image }))
            }
            Images::Components(parts) => {
                let whole = component.map(|component| component.as_ref().as_str()).or(Some(product).filter(|product| is_name(product)));
                // A directory of one component is a device of one: its file names it.
                let whole = if let [one] = &parts[..] { Some(one.component.as_str()) } else { whole };
                (whole.ok_or_else(|| missing("component"))?.to_owned(), Parts::Components(parts))
            }
        };
        let old = own.and_then(|own| own.old.as_deref()).or(all.old.as_deref()).unwrap_or_default();
        let device = self.device(own, all, class)?;
        let table = own.map_or_else(|| all.delta.clone(), |own| own.delta.clone().or(&all.delta));
        let delta = table.options(self, device.as_ref())?;
        if new.is_several() {
            let device = own.and_then(|own| own.device.as_ref()).or(all.device.as_ref());
            table.refuse_for_several(self, &delta, device.map_or(span, Spanned::span))?;
        }
        let limits = own.map_or_else(|| all.limits.clone(), |own| own.limits.clone().or(&all.limits));
        let rehearse = own.and_then(|own| own.rehearse.as_ref()).or(all.rehearse.as_ref());
        let mut text = all.text.clone();
        for (language, own) in own.iter().flat_map(|own| &own.text) {
            let all = text.remove(language).unwrap_or_default();
            text.insert(language.clone(), own.clone().or(all));
        }
        Ok(Model {
            name,
            stem,
            component,
            vendor,
            class,
            security_counter: own.and_then(|own| own.security_counter).or(all.security_counter).unwrap_or(0),
            old: self.old_images(old, format, &new)?,
            new: new.into_images(),
            delta,
            capabilities: device.map(|device| device.capabilities),
            limits: self.limits(&limits)?,
            rehearse: rehearse.map_or(Ok(None), |value| self.rehearse(value))?,
            text,
        })
    }

    fn limits(&self, table: &LimitsTable) -> Result<Limits, Error> {
        if let Some(value) = table.delta_percent.as_ref().filter(|value| !(1..=100).contains(value.as_ref())) {
            return Err(self.number("delta-percent", value, "1 to 100: percent of the full package"));
        }
        Ok(Limits { delta_percent: table.delta_percent.as_ref().map(|value| *value.as_ref()), max_package: table.max_package, max_ram: table.max_ram })
    }

    /// `true`, `false`, or how many cuts.
    fn rehearse(&self, value: &Spanned<Value>) -> Result<Option<Cuts>, Error> {
        let table = value.as_ref().as_table().filter(|table| table.len() == 1);
        match (value.as_ref(), table.and_then(|table| table.get("cuts"))) {
            (Value::Boolean(rehearse), _) => Ok(rehearse.then_some(Cuts::Some(CUTS))),
            (_, Some(Value::String(all))) if all == "all" => Ok(Some(Cuts::All)),
            (_, Some(Value::Integer(cuts))) if *cuts > 0 => Ok(Some(Cuts::Some(cuts.unsigned_abs()))),
            (found, _) => Err(self.at(value.span(), "rehearse", found.to_string(), "true, false, { cuts = 100 } or { cuts = \"all\" }")),
        }
    }

    /// A manifest names vendor, class and component: no two models may have all three in common, since a device could take either's packages.
    fn refuse_twins(&self, models: &[Model], model: &Model, table: &ModelTable) -> Result<(), Error> {
        if models.iter().any(|other| other.name == model.name) {
            return Err(self.error("model name", &table.name, "each name once"));
        }
        let components = |model: &Model| model.new.iter().map(|new| new.component.clone()).collect::<Vec<_>>();
        let same = |other: &Model| (other.vendor, other.class, components(other)) == (model.vendor, model.class, components(model));
        if models.iter().any(same) {
            return Err(self.error("model name", &table.name, "a class or component of its own: another model has both in common with it"));
        }
        Ok(())
    }

    /// Names with dashes in them may come to the same in the end.
    fn refuse_same_names(&self, models: &[Model]) -> Result<(), Error> {
        let mut names = BTreeSet::new();
        for model in models {
            for name in model.old.iter().map(Some).chain([None]).map(|old| model.package_name(old)) {
                if !names.insert(name.clone()) {
                    return Err(Error::SameName { path: self.path.to_owned(), name });
                }
            }
        }
        Ok(())
    }
}

impl LimitsTable {
    /// What this table does not say, `other` says.
    fn or(self, other: &Self) -> Self {
        let other = other.clone();
        Self {
            delta_percent: self.delta_percent.or(other.delta_percent),
            max_package: self.max_package.or(other.max_package),
            max_ram: self.max_ram.or(other.max_ram),
        }
    }
}

impl LanguageText {
    /// What this one does not say, `other` says.
    fn or(self, other: Self) -> Self {
        Self {
            description: self.description.or(other.description),
            update: self.update.or(other.update),
            vendor: self.vendor.or(other.vendor),
            model: self.model.or(other.model),
            confirmation: self.confirmation.or(other.confirmation),
            instructions: if self.instructions.is_empty() { other.instructions } else { self.instructions },
            completion: self.completion.or(other.completion),
        }
    }
}
