//! What a device is told next: the five steps of a firmware update from the server's side. Who the device is, what it runs, the package, the
//! operation, and later its report.

use sha2::{Digest, Sha256};

use super::campaign::{self, Campaign, Delivery, Kind};
use super::dist::Package;
use super::record::{Asked, Order, Sending, Stage};
use super::session::{Exchange, nonce};
use super::store;
use crate::documents::dlota;
use crate::hex;
use crate::oma::dm::{self, Command, Data, Edit, Exec, Interaction, Item, Meta};
use crate::oma::fumo::{self, Operation};
use crate::oma::{sacmo, scomo};
use crate::release::outputs::{MESSAGE_OVERHEAD_BYTES, Management, commands, node_name};

/// The leaf with the version of a component.
pub(super) fn version_of_component(management: &Management, component: &str) -> String {
    format!("{}/{}/{}/Version", management.scomo, scomo::Place::Deployed.path(), node_name(component))
}

impl Exchange<'_, '_> {
    /// The next commands, and whether they end our package.
    pub(super) fn plan(&mut self) -> Result<(Vec<Command>, bool), store::Error> {
        if let Some(sending) = self.session.sending.take() {
            return Ok(self.part(sending));
        }
        if !self.session.has_information {
            return Ok((self.ask_for_information(), true));
        }
        let context = self.context;
        for campaign in &context.campaigns {
            if !campaign.is_for(&self.device.id) {
                continue;
            }
            let commands = self.campaign(campaign)?;
            if !commands.is_empty() {
                return Ok((commands, self.session.sending.is_none()));
            }
            let progress = self.device.progress.get(&campaign.name);
            if progress.is_some_and(|progress| progress.stage == Stage::Ordered) {
                // One thing at a time: the rest comes when it has reported.
                break;
            }
        }
        Ok((Vec::new(), true))
    }

    fn ask_for_information(&mut self) -> Vec<Command> {
        let context = self.context;
        let mut uris = vec!["./DevDetail/FwV".to_owned(), format!("{}/{}", context.management.fumo, fumo::STATE)];
        if context.campaigns.iter().any(|campaign| campaign.kind == Kind::Component) {
            uris.push(version_of_component(&context.management, context.dist.component_of(&self.device.model)));
            self.device.components.clear();
        }
        self.session.asked = (1..).zip(&uris).map(|(id, _)| (id, Asked::Information)).collect();
        uris.iter().map(|uri| Command::Get(Edit::new(0, Item::target(uri)))).collect()
    }

    fn campaign(&mut self, campaign: &Campaign) -> Result<Vec<Command>, store::Error> {
        let context = self.context;
        let version = match campaign.kind {
            Kind::Firmware | Kind::Workflow => self.device.firmware.clone(),
            Kind::Component => self.device.components.get(context.dist.component_of(&self.device.model)).cloned(),
        };
        let is_idle = self.device.fumo_state == Some(fumo::State::Idle.code());
        let progress = self.device.progress.entry(campaign.name.clone()).or_default();
        match progress.stage {
            stage if stage.is_final() => return Ok(Vec::new()),
            Stage::Ordered => {
                // Ordered in a session before, and the device knows nothing of it: it never got the order, or has lost it.
                let is_lost = progress.order.as_ref().is_none_or(|order| !order.accepted || campaign.kind == Kind::Firmware && is_idle);
                if !is_lost || self.session.has_ordered {
                    return Ok(Vec::new());
                }
                progress.order = None;
                progress.stage = match self.device.fumo_state {
                    // The package has got there all the same.
                    Some(state) if campaign.kind == Kind::Firmware && state == fumo::State::ReadyToUpdate.code() => Stage::Downloaded,
                    _ if progress.attempts >= campaign.attempts => Stage::Failed,
                    _ => Stage::Waiting,
                };
                if progress.stage == Stage::Failed {
                    return Ok(Vec::new());
                }
            }
            _ => {}
        }
        if progress.stage == Stage::Downloaded && campaign.kind == Kind::Firmware {
            let correlator = self.order(campaign);
            return Ok(self.started(campaign, vec![commands::fumo_exec(Operation::Update, &context.management, &correlator)]));
        }
        let progress = self.device.progress.entry(campaign.name.clone()).or_default();
        if campaign.on_request && !progress.requested {
            return Ok(Vec::new());
        }
        if context.dist.is_current(version.as_deref()) && !campaign.force {
            progress.stage = Stage::Current;
            self.event("runs the release already: nothing to do")?;
            return Ok(Vec::new());
        }
        let Some(package) = context.dist.package_for(&self.device.model, version.as_deref()) else { return Ok(Vec::new()) };
        if campaign.confirm && !progress.confirmed {
            let report = &context.dist.report;
            let text =
                format!("Update from {} to {} {}? {} bytes.", version.as_deref().unwrap_or("nothing"), report.product, report.version, package.bytes.len());
            self.session.asked = vec![(1, Asked::Confirmation(campaign.name.clone()))];
            return Ok(vec![Command::Alert(Interaction::new(dm::Kind::Confirm, &text).to_alert(0))]);
        }
        progress.attempts += 1;
        let correlator = self.order(campaign);
        Ok(self.deliver(campaign, package, &correlator))
    }

    /// A new order of a campaign: its correlator names it everywhere.
    fn order(&mut self, campaign: &Campaign) -> String {
        self.session.has_ordered = true;
        self.device.orders += 1;
        let digest = hex::encode(&Sha256::digest(self.device.id.as_bytes())[..4]);
        // Another database counts from 1 again, and a device may still hold a report of the one before.
        let random = hex::encode(nonce().get(..4).unwrap_or_default());
        let correlator = format!("{}.{digest}.{}.{random}", campaign.name, self.device.orders);
        let progress = self.device.progress.entry(campaign.name.clone()).or_default();
        progress.stage = Stage::Ordered;
        progress.order = Some(Order { correlator: correlator.clone(), accepted: false });
        correlator
    }

    fn deliver(&mut self, campaign: &Campaign, package: &Package, correlator: &str) -> Vec<Command> {
        let context = self.context;
        let management = &context.management;
        let component = context.dist.component_of(&self.device.model);
        let address = |folder: &str, extension: &str| format!("{}/{folder}/{}.{extension}?order={correlator}", context.base, package.name);
        let url = campaign.url.clone().unwrap_or_else(|| match campaign.delivery {
            Delivery::Descriptor if campaign.kind != Kind::Workflow => address("descriptors", "dd"),
            _ => address("packages", "suit"),
        });
        let fits = package.base64.len() <= self.room();
        let commands = match (campaign.kind, campaign.delivery) {
            (Kind::Workflow, _) => {
                let workflow = campaign::workflow(campaign, &package.name, &url, &context.dist.report.version);
                let Ok(xml) = workflow.write() else { return Vec::new() };
                let text = String::from_utf8_lossy(&xml).into_owned();
                let leaf = Item::target(&context.workflow.workflow_uri()).with_text("xml", sacmo::MIME_TYPE, &text);
                vec![Command::Replace(Edit::new(0, leaf)), Command::Exec(Exec::new(0, &context.workflow.start_uri(), Some(correlator)))]
            }
            (Kind::Firmware, Delivery::Inline) if fits => commands::fumo_inline(&package.bytes, management, correlator),
            (Kind::Firmware, Delivery::Inline | Delivery::LargeObject) => {
                let sending = Sending { campaign: campaign.name.clone(), package: package.name.clone(), sent: 0 };
                return self.part(sending).0;
            }
            (Kind::Firmware, _) => {
                let operation = if campaign.two_steps { Operation::Download } else { Operation::DownloadAndUpdate };
                commands::fumo_by_url(&url, operation, management, correlator)
            }
            (Kind::Component, Delivery::Inline | Delivery::LargeObject) if fits => commands::scomo_inline(component, &package.bytes, management, correlator),
            (Kind::Component, _) => commands::scomo_by_url(component, &url, management, correlator),
        };
        self.started(campaign, commands)
    }

    /// Notes what each command is for.
    fn started(&mut self, campaign: &Campaign, commands: Vec<Command>) -> Vec<Command> {
        let commands = commands::renumber(commands, 1);
        let mut asked = Vec::new();
        let mut note = |command: &Command| {
            let what = match command {
                Command::Exec(_) => Asked::Start(campaign.name.clone()),
                Command::Replace(_) => Asked::Delivery(campaign.name.clone()),
                _ => Asked::Optional,
            };
            asked.push((command.id(), what));
        };
        for command in &commands {
            match command {
                Command::Sequence(group) => group.commands.iter().for_each(&mut note),
                other => note(other),
            }
        }
        self.session.asked = asked;
        commands
    }

    /// Bytes that one message of this session has for a content.
    fn room(&self) -> usize {
        let management = self.context.management.max_message;
        let max = self.session.max_message.unwrap_or(management);
        usize::try_from(max.saturating_sub(MESSAGE_OVERHEAD_BYTES)).unwrap_or(usize::MAX).max(256)
    }

    /// The next part of a package that is under way, with the `Exec` behind the last one.
    fn part(&mut self, mut sending: Sending) -> (Vec<Command>, bool) {
        let context = self.context;
        let campaign = context.campaigns.iter().find(|campaign| campaign.name == sending.campaign);
        let (Some(campaign), Some(package)) = (campaign, context.dist.package(&sending.package)) else { return (Vec::new(), true) };
        let rest = package.base64.get(sending.sent..).unwrap_or_default();
        let part = &rest[..rest.len().min(self.room())];
        let is_last = part.len() == rest.len();
        let uri = format!("{}/{}", context.management.fumo, fumo::PACKAGE_DATA);
        let size_bytes = (sending.sent == 0).then_some(package.base64.len() as u64);
        let meta = Meta { size_bytes, ..Meta::new("b64", dlota::PACKAGE_MIME_TYPE) };
        let item = Item { meta, data: Some(Data::Text(part.to_owned())), more_data: !is_last, ..Item::target(&uri) };
        sending.sent += part.len();
        let mut body = vec![Command::Replace(Edit::new(0, item))];
        let order = self.device.progress.get(&campaign.name).and_then(|progress| progress.order.clone());
        if let Some(order) = order.filter(|_| is_last) {
            body.push(commands::fumo_exec(Operation::Update, &context.management, &order.correlator));
        }
        let body = self.started(campaign, body);
        if !is_last {
            self.session.sending = Some(sending);
        }
        (body, is_last)
    }
}
