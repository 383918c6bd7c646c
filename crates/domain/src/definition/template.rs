//! Templates and conditions in texts.

use super::report::{Finding, Report};
use super::source::Node;

impl Node<'_> {
    /// A text with `{{ … }}` in it.
    pub fn template(&self, cx: &mut Report<'_>) -> Option<String> {
        let text = self.text(cx)?;
        let problem = minijinja::Environment::new().template_from_str(&text).err();
        match problem {
            None => Some(text),
            Some(problem) => self.template_problem(cx, "template", &problem),
        }
    }

    /// The message of a schedule in this zone, tried out; `tool`: a tool takes it as its arguments.
    pub fn schedule_message(
        &self,
        cx: &mut Report<'_>,
        timezone: &str,
        tool: bool,
    ) -> Option<String> {
        let text = self.template(cx)?;
        let Some((problem, hint)) = crate::schedule::template_problem(timezone, &text, tool) else {
            return Some(text);
        };
        let message = format!("{} is not a usable template: {problem}", self.name());
        let finding = Finding::new("template_invalid", &self.span, message);
        cx.error(finding.label("would fail each time").hint_str(hint));
        None
    }

    /// A condition over the same names as templates, without braces.
    pub fn condition(&self, cx: &mut Report<'_>) -> Option<String> {
        let text = self.text(cx)?;
        let problem = minijinja::Environment::new()
            .compile_expression(&text)
            .err();
        match problem {
            None => Some(text),
            Some(problem) => self.template_problem(cx, "condition", &problem),
        }
    }

    fn template_problem(
        &self,
        cx: &mut Report<'_>,
        noun: &str,
        problem: &minijinja::Error,
    ) -> Option<String> {
        let detail = problem
            .detail()
            .map_or_else(|| problem.kind().to_string(), str::to_owned);
        let message = format!("{} is not a valid {noun}: {detail}", self.name());
        let finding = Finding::new("template_invalid", &self.span, message);
        cx.error(finding.label(format!("not a valid {noun}")));
        None
    }
}
