//! Orders of things that need each other.

/// The strongly connected component of each node: nodes have the same number when each needs the
/// other, directly or not.
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let count = edges.len();
    let (mut number, mut low) = (vec![NONE; count], vec![0; count]);
    let mut component = vec![NONE; count];
    let (mut stack, mut next, mut found) = (Vec::new(), 0, 0);
    for root in 0..count {
        if number[root] != NONE {
            continue;
        }
        // The nodes on the path with the number of edges already followed.
        let mut path = vec![(root, 0)];
        while let Some((node, followed)) = path.last_mut() {
            let node = *node;
            if *followed == 0 {
                (number[node], low[node]) = (next, next);
                next += 1;
                stack.push(node);
            }
            let edge = edges[node].get(*followed).copied();
            *followed += 1;
            if let Some(to) = edge {
                if number[to] == NONE {
                    path.push((to, 0));
                } else if component[to] == NONE {
                    low[node] = low[node].min(number[to]);
                }
                continue;
            }
            path.pop();
            if let Some((parent, _)) = path.last() {
                low[*parent] = low[*parent].min(low[node]);
            }
            if low[node] == number[node] {
                while let Some(member) = stack.pop() {
                    component[member] = found;
                    if member == node {
                        break;
                    }
                }
                found += 1;
            }
        }
    }
    component
}

/// Returns the nodes of `wanted` in their order, each directly after what it needs and what was not
/// there before. The nodes that one needs come in the order of `edges`.
///
/// # Errors
/// Fails with a cycle if there is one.
pub(super) fn order(wanted: &[usize], edges: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Open,
        Done,
    }
    let mut state = vec![State::New; edges.len()];
    let mut ordered = Vec::with_capacity(wanted.len());
    for root in wanted {
        if state[*root] != State::New {
            continue;
        }
        state[*root] = State::Open;
        let mut path = vec![(*root, 0)];
        while let Some((node, followed)) = path.last_mut() {
            let node = *node;
            let edge = edges[node].get(*followed).copied();
            *followed += 1;
            match edge {
                None => {
                    state[node] = State::Done;
                    ordered.push(node);
                    path.pop();
                }
                Some(to) => match state[to] {
                    State::Done => {}
                    State::New => {
                        state[to] = State::Open;
                        path.push((to, 0));
                    }
                    State::Open => {
                        let nodes = path.iter().map(|(node, _)| *node);
                        return Err(nodes.skip_while(|node| *node != to).collect());
                    }
                },
            }
        }
    }
    Ok(ordered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needed_nodes_come_first() {
        let check = |edges: &[&[usize]], expected: Result<Vec<usize>, Vec<usize>>| {
            let edges: Vec<Vec<usize>> = edges.iter().map(|it| it.to_vec()).collect();
            let wanted: Vec<usize> = (0..edges.len()).collect();
            assert_eq!(order(&wanted, &edges), expected);
        };
        check(&[&[], &[], &[]], Ok(vec![0, 1, 2]));
        check(&[&[2], &[], &[]], Ok(vec![2, 0, 1]));
        check(&[&[2], &[2], &[3], &[]], Ok(vec![3, 2, 0, 1]));
        check(&[&[1], &[2], &[1]], Err(vec![1, 2]));
        check(&[&[0]], Err(vec![0]));
    }

    #[test]
    fn nodes_of_a_cycle_are_one_component() {
        let edges: Vec<Vec<usize>> = vec![vec![1], vec![2], vec![1, 3], vec![], vec![0]];
        let found = components(&edges);
        assert_eq!(found[1], found[2]);
        let mut others = vec![found[0], found[1], found[3], found[4]];
        others.sort_unstable();
        others.dedup();
        assert_eq!(others.len(), 4);
    }

    #[test]
    fn long_chains_do_not_overflow_the_stack() {
        let edges: Vec<Vec<usize>> = (0..200_000_usize)
            .map(|at| if at == 0 { Vec::new() } else { vec![at - 1] })
            .collect();
        assert_eq!(order(&[199_999], &edges).unwrap().len(), 200_000);
        assert_eq!(components(&edges).len(), 200_000);
    }
}
