//! `module/list`.

use crate::access::Permission;
use crate::context::Context;
use crate::module_view::{ModuleView, began};
use crate::operation::Define;
use crate::page::{self, Params};
use mobkit_domain::definition::Module;
use mobkit_domain::id::ModuleId;
use mobkit_domain::lifecycle::Verb;
use mobkit_domain::refusal::Refusal;
use schemars::JsonSchema;
use serde::Serialize;

const PAGES: page::List = page::List("module");

pub(in crate::operations) struct List;

#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::operations) struct Output {
    /// The modules of the definition in force, in the order of their ids.
    modules: Vec<ModuleView>,
    /// Where the next page continues.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl Define for List {
    const NAME: &'static str = "module/list";
    const DOC: &'static str = "Lists the modules of the definition in force, those that do not \
                               run included.";
    const PERMISSION: Permission = Permission::Read;
    const VERB: Verb = Verb::Read;
    type Params = Params;
    type Output = Output;

    async fn run(cx: Context, params: Params) -> Result<Output, Refusal> {
        let limit = page::limit(params.limit)?;
        let after = PAGES.position::<ModuleId>(params.cursor.as_deref())?;
        let began = began(&cx.engine);
        let mut modules: Vec<ModuleView> = cx.engine.view(|world| {
            let wanted = world.definition.modules.iter();
            let mut rest: Vec<&Module> = wanted
                .filter(|module| after.as_ref().is_none_or(|after| module.id > *after))
                .collect();
            rest.sort_unstable_by(|a, b| a.id.cmp(&b.id));
            let page = rest.into_iter().take(limit + 1);
            page.map(|module| ModuleView::of(world, module, began))
                .collect()
        });
        let next_cursor = PAGES.cut(&mut modules, limit, |last| &last.id);
        Ok(Output {
            modules,
            next_cursor,
        })
    }
}
