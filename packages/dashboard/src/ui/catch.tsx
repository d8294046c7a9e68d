/** What breaks says so in its place; the address and everything else live on, and another address is a new try. */
import { Component, type ReactNode } from 'react'

/** Each new try, whoever made it: what failed to load in an earlier turn is asked for again (later.tsx). */
export const turns = { now: 0 }

interface CatchProps {
  /** Where this is; elsewhere is a new try. */
  at?: string
  show: (problem: unknown, retry: () => void) => ReactNode
  children: ReactNode
}

/** React offers this only as a class. */
export class Catch extends Component<CatchProps, { problem: unknown }> {
  override state = { problem: null as unknown }
  static getDerivedStateFromError(problem: unknown) {
    return { problem }
  }
  private again = () => {
    turns.now += 1
    this.setState({ problem: null })
  }
  override componentDidUpdate(before: CatchProps) {
    if (before.at !== this.props.at && this.state.problem !== null) this.again()
  }
  /** A dialog that was closed and is opened again is tried again. */
  override componentWillUnmount() {
    if (this.state.problem !== null) turns.now += 1
  }
  override render() {
    if (this.state.problem === null) return this.props.children
    return this.props.show(this.state.problem, this.again)
  }
}
