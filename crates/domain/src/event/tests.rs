use super::*;
use crate::id::MobId;
use crate::time::Time;

#[test]
fn an_envelope_survives_a_round_trip() {
    let mob = MobId::parse("newsroom").expect("an id");
    let event = NewEvent::of(RuntimeReady { members: 3 }).at(7, Time(0), &mob);
    let json = serde_json::to_string(&event).expect("json");
    assert_eq!(
        json,
        r#"{"seq":7,"time":"1970-01-01T00:00:00.000Z","mob":"newsroom","kind":"runtime.ready","data":{"members":3},"source":"runtime","subject":"runtime"}"#
    );
    assert_eq!(
        serde_json::from_str::<Envelope>(&json).expect("an envelope"),
        event
    );
}

#[test]
fn a_source_that_does_not_fit_the_kind_is_refused() {
    let mob = MobId::parse("newsroom").expect("an id");
    let mut event = NewEvent::of(RuntimeReady { members: 3 }).at(7, Time(0), &mob);
    event.source = Source::Module;
    assert!(event.check_source().is_err());
}
