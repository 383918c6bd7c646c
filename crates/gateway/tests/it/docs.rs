//! The documentation of the API names every operation as the table has it.

use mobkit_gateway::OPERATIONS;

#[test]
fn the_documentation_lists_every_operation() {
    let document = include_str!("../../../../docs/api.md");
    let rows: Vec<&str> = document
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let expected: Vec<String> = OPERATIONS
        .iter()
        .map(|operation| {
            let permission = format!("{:?}", operation.permission).to_lowercase();
            format!(
                "| `{}` | {permission} | {} |",
                operation.name, operation.doc
            )
        })
        .collect();
    for row in &expected {
        assert!(rows.contains(&row.as_str()), "docs/api.md lacks:\n{row}");
    }
    let listed = rows.iter().filter(|row| row.contains('/')).count();
    assert_eq!(
        listed,
        expected.len(),
        "docs/api.md lists operations that do not exist"
    );
}
