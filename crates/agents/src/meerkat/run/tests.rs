use super::super::tools::is_ours;
use super::*;

fn run() -> Run {
    Run::new("r1", is_ours)
}

fn hear(run: &mut Run, events: &[Value]) -> Vec<Told> {
    events.iter().flat_map(|event| run.hear(event)).collect()
}

fn steps(told: &[Told]) -> Vec<&Step> {
    let steps = told.iter().filter_map(|told| match told {
        Told::Step(step) => Some(step.as_ref()),
        Told::Delta(_) | Told::Gap(_) | Told::Ended(_) => None,
    });
    steps.collect()
}

fn turn_started(number: u64, message: &str) -> Value {
    json!({"type": "turn_started", "turn_number": number, "assistant_message_id": message})
}

fn text(text: &str) -> Value {
    json!({"type": "text_delta", "delta": text})
}

fn requested(id: &str, name: &str) -> Value {
    json!({"type": "tool_call_requested", "id": id, "name": name, "args": {"q": id}})
}

fn started(id: &str, name: &str) -> Value {
    json!({"type": "tool_execution_started", "id": id, "name": name})
}

fn turn_completed(reason: &str, message: &str, input: u64) -> Value {
    json!({
        "type": "turn_completed",
        "stop_reason": reason,
        "assistant_message_id": message,
        "usage": {"input_tokens": input, "output_tokens": 1, "cache_read_tokens": 2},
    })
}

fn completed(result: &str, input: u64) -> Value {
    json!({
        "type": "run_completed",
        "identity": {"run_id": "r1"},
        "result": result,
        "usage": {"input_tokens": input, "output_tokens": 9},
    })
}

#[test]
fn a_plain_answer_is_one_step_and_the_end() {
    let mut run = run();
    let told = hear(
        &mut run,
        &[
            turn_started(0, "m1"),
            text("an"),
            text("swer"),
            turn_completed("end_turn", "m1", 10),
        ],
    );
    assert_eq!(
        told,
        [Told::Delta("an".to_owned()), Told::Delta("swer".to_owned())],
        "the last round waits until the runtime has kept it"
    );
    let told = hear(&mut run, &[completed("answer", 70)]);
    let steps = steps(&told);
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].text, "answer");
    assert_eq!(steps[0].finish, Finish::Stop);
    assert_eq!(steps[0].usage.input_tokens, 10);
    assert_eq!(steps[0].total.map(|total| total.input_tokens), Some(70));
    assert_eq!(steps[0].mark.message.as_deref(), Some("m1"));
    assert_eq!(
        told.last(),
        Some(&Told::Ended(Ended::Answered("answer".to_owned())))
    );
}

#[test]
fn the_calls_of_a_round_are_one_step_before_the_first_is_made() {
    let mut run = run();
    let told = hear(
        &mut run,
        &[
            turn_started(0, "m1"),
            text("look"),
            requested("c1", "mobkit_now"),
            requested("c2", "shell"),
            requested("c3", "mobkit_now"),
        ],
    );
    assert!(steps(&told).is_empty(), "more calls may be announced");
    let told = hear(
        &mut run,
        &[started("c1", "mobkit_now"), started("c3", "mobkit_now")],
    );
    let first = steps(&told);
    assert_eq!(first.len(), 1, "one step, however many calls");
    let ids: Vec<&str> = first[0].calls.iter().map(|call| call.id.as_str()).collect();
    assert_eq!(ids, ["c1", "c3"]);
    assert_eq!(first[0].usage, Usage::default(), "not known yet");
    assert!(
        first[0].events.iter().any(|event| event["name"] == "shell"),
        "the runtime's own calls stand in the original"
    );
}

#[test]
fn the_steps_of_a_run_carry_all_its_tokens() {
    let mut run = run();
    let told = hear(
        &mut run,
        &[
            turn_started(0, "m1"),
            requested("c1", "mobkit_now"),
            started("c1", "mobkit_now"),
            turn_completed("tool_use", "m1", 10),
            turn_started(1, "m2"),
            requested("l1", "tool_catalog_load"),
            started("l1", "tool_catalog_load"),
            turn_completed("tool_use", "m2", 20),
            turn_started(2, "m3"),
            text("done"),
            turn_completed("end_turn", "m3", 30),
            completed("done", 60),
        ],
    );
    let steps = steps(&told);
    let tokens: Vec<u64> = steps.iter().map(|step| step.usage.input_tokens).collect();
    assert_eq!(tokens, [0, 30, 30]);
    let rounds: Vec<u64> = steps.iter().map(|step| step.mark.round).collect();
    assert_eq!(rounds, [0, 1, 2]);
    assert!(
        steps[1].calls.is_empty(),
        "a round of the runtime's own tools is a step without calls"
    );
}

#[test]
fn a_failed_run_says_why_and_keeps_its_tokens() {
    let mut run = run();
    let failed = json!({
        "type": "run_failed",
        "identity": {"run_id": "r1"},
        "error_report": {"class": "llm", "message": "no model"},
    });
    let told = hear(
        &mut run,
        &[
            turn_started(0, "m1"),
            requested("c1", "mobkit_now"),
            started("c1", "mobkit_now"),
            turn_completed("tool_use", "m1", 10),
            turn_started(1, "m2"),
            failed,
        ],
    );
    let steps = steps(&told);
    assert_eq!(steps.last().map(|step| step.usage.input_tokens), Some(10));
    let Some(Told::Ended(Ended::Failed(reason))) = told.last() else {
        panic!("it has failed: {told:?}");
    };
    assert!(reason.contains("no model"), "{reason}");
    assert!(reason.contains("llm"), "{reason}");
}

#[test]
fn a_cancelled_run_is_one_that_the_runtime_gave_up() {
    let cancelled = json!({"type": "run_failed", "error_report": {"class": "cancelled"}});
    assert_eq!(
        run().hear(&cancelled),
        [Told::Ended(Ended::Broken(STOPPED.to_owned()))]
    );
}

#[test]
fn a_model_call_that_is_made_again_begins_its_text_anew() {
    let mut run = run();
    let told = hear(
        &mut run,
        &[
            turn_started(0, "m1"),
            text("half"),
            json!({"type": "retrying", "assistant_message_id": "m1"}),
            turn_started(0, "m1"),
            text("whole"),
            turn_completed("end_turn", "m1", 1),
            completed("whole", 1),
        ],
    );
    let steps = steps(&told);
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].text, "whole");
}

#[test]
fn a_resumed_round_is_not_announced_again() {
    let mut run = run();
    let resumed = json!({"type": "run_resumed", "run_id": "r1", "round": 3});
    let told = hear(
        &mut run,
        &[
            resumed,
            started("c1", "mobkit_now"),
            json!({"type": "tool_execution_completed", "id": "c1", "name": "mobkit_now"}),
            turn_started(4, "m5"),
            text("done"),
            turn_completed("end_turn", "m5", 3),
            completed("done", 9),
        ],
    );
    let steps = steps(&told);
    assert_eq!(
        steps.len(),
        1,
        "the round of the calls is recorded already: {steps:?}"
    );
    assert_eq!(steps[0].mark.round, 4);
}

#[test]
fn calls_whose_events_were_lost_are_a_step_all_the_same() {
    let mut run = run();
    let asked = Asked {
        id: "c1".to_owned(),
        name: "mobkit_now".to_owned(),
        args: json!({}),
    };
    let step = run.insist(2, std::slice::from_ref(&asked));
    let step = step.expect("the round is not recorded");
    assert!(step.torn);
    assert_eq!(step.mark.round, 2);
    assert_eq!(step.calls, std::slice::from_ref(&asked));
    assert_eq!(run.insist(2, &[asked]).map(|step| step.calls.len()), None);
}

#[test]
fn a_gap_is_said_and_tears_the_round() {
    let mut run = run();
    let truncated = json!({"type": "stream_truncated", "reason": {"kind": "stream_lagged"}});
    let told = hear(
        &mut run,
        &[
            turn_started(0, "m1"),
            truncated,
            text("end"),
            turn_completed("end_turn", "m1", 1),
            completed("begin and end", 1),
        ],
    );
    assert!(told.iter().any(|told| matches!(told, Told::Gap(_))));
    assert!(steps(&told)[0].torn);
}

#[test]
fn an_end_whose_round_was_lost_says_no_step_but_the_total() {
    let mut run = run();
    run.tear();
    let told = hear(&mut run, &[text("d9"), completed("all of it", 44)]);
    assert!(steps(&told).is_empty(), "the transcript has it: {told:?}");
    assert_eq!(run.total().map(|total| total.input_tokens), Some(44));
    assert_eq!(
        told.last(),
        Some(&Told::Ended(Ended::Answered("all of it".to_owned())))
    );
}

#[test]
fn arguments_may_be_text() {
    assert_eq!(arguments(Some(&json!("{\"q\": 1}"))), json!({"q": 1}));
    assert_eq!(arguments(Some(&json!("no json"))), json!("no json"));
    assert_eq!(arguments(None), json!({}));
}
