use super::*;

fn tools() -> Vec<Tool> {
    let message = json!({ "type": "object", "required": ["message"], "properties": {
        "message": { "type": "string" }, "caller_name": { "type": "string" }, "callback_number": { "type": "string" },
        "urgency": { "type": "string", "enum": ["normal", "urgent"] } } });
    let tool = |name: &str, parameters: Value| Tool { name: name.into(), parameters };
    let none = json!({ "type": "object", "properties": {} });
    vec![tool("take_message", message), tool("transfer", none.clone()), tool("end_call", none)]
}

fn said(text: &str, tools: &[Tool]) -> Reply {
    let memory = vec![Memory::User(text.into())];
    reply(&Situation { asked: None, instructions: "Be \"very\" kind.", tools, memory, idle: false })
}

fn asked(asked: &str, memory: Vec<Memory>) -> String {
    reply(&Situation { asked: Some(asked), instructions: "", tools: &[], memory, idle: false }).speech
}

#[test]
fn quoted_words_are_said_word_for_word() {
    let instructions = "You answer for \"Anna's Bakery\".\n\nGreet the caller with exactly: \"Good day, I am the AI assistant.\"";
    assert_eq!(asked(instructions, vec![]), "Good day, I am the AI assistant.");
    assert_eq!(asked("Say “we are closed today” now.", vec![]), "we are closed today");
    let situation = Situation { asked: None, instructions, tools: &[], memory: vec![], idle: false };
    assert_eq!(reply(&situation).speech, "Good day, I am the AI assistant.");
}

#[test]
fn the_instructions_of_the_session_are_no_request() {
    let instructions = "Answer for \"Anna's fine Bakery\". Never say goodbye first.";
    let ask = |task: &str| {
        let asked = format!("{instructions}\n\n# Now\n{task}");
        let memory = vec![Memory::User("When do you open?".into())];
        reply(&Situation { asked: Some(&asked), instructions, tools: &[], memory, idle: false }).speech
    };
    assert_eq!(
        ask("Say exactly this, word for word, and nothing else:\nHello: this is Anna's."),
        "Hello: this is Anna's."
    );
    assert_eq!(ask("Ask whether they are still there."), lines::STILL_THERE);
    assert_eq!(ask("Tell the caller that you are putting them through now."), lines::TRANSFER);
    assert_eq!(ask("Thank the caller and say goodbye."), lines::GOODBYE);
    assert!(ask("Answer.").starts_with("We are open"));
}

#[test]
fn a_resumed_conversation_is_taken_up() {
    let memory = vec![Memory::Assistant("Hello".into()), Memory::User("I want a table".into())];
    assert_eq!(
        asked("The line was cut off. Apologise and continue.", memory),
        "Sorry, we were cut off. You were saying: I want a table"
    );
}

#[test]
fn tools_are_called_only_when_they_are_offered() {
    let text = "Please take a message. My name is Anna Smith, call me on 555 0199 77.";
    let reply = said(text, &tools());
    assert_eq!(reply.speech, "");
    let wanted = json!({ "message": text, "caller_name": "Anna Smith", "callback_number": "555019977" });
    assert_eq!(reply.calls, [("take_message".to_owned(), wanted)]);
    assert_eq!(said(text, &[]), Reply::say(lines::NO_MESSAGES));
    assert_eq!(said("I want to speak to a human!", &tools()).calls[0].0, "transfer");
    let farewell = said("That's all, goodbye.", &tools());
    assert_eq!((farewell.speech.as_str(), farewell.calls[0].0.as_str()), (lines::GOODBYE, "end_call"));
}

#[test]
fn the_answer_of_a_tool_decides_what_is_said_next() {
    let after = |output: &str| {
        let memory = vec![
            Memory::User("x".into()),
            Memory::Tool { name: "take_message".into(), output: output.into() },
        ];
        reply(&Situation { asked: None, instructions: "", tools: &[], memory, idle: false }).speech
    };
    assert_eq!(after(r#"{"ok":true}"#), lines::MESSAGE_TAKEN);
    assert_eq!(after("stored"), lines::MESSAGE_TAKEN);
    assert_eq!(after(r#"{"error":"full"}"#), lines::TOOL_FAILED);
    assert_eq!(after(r#"{"ok":false}"#), lines::TOOL_FAILED);
}

#[test]
fn turns_differ_and_words_are_whole() {
    let answers = [
        "When do you open?",
        "How much is it?",
        "Where are you?",
        "My bicycle is broken.",
        "The lamp is green.",
    ];
    let answers: std::collections::HashSet<String> =
        answers.iter().map(|text| said(text, &[]).speech).collect();
    assert_eq!(answers.len(), 5);
    assert!(
        said("Hello, do you take cards?", &[]).speech.contains("cards"),
        "a greeting is not the question"
    );
    assert!(mentions("Good-bye!", &["good bye"]));
    assert!(!mentions("I know him", &["no", "hi"]));
    assert_eq!(said(" ", &[]).speech, lines::NOT_UNDERSTOOD);
}
