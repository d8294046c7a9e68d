/** A page that breaks says so in its place; the address and everything else live on, and another address is a new try. */
import { Component, type ReactNode } from 'react'
import { ErrorBox } from '../ui/parts.tsx'
import { Splash } from './splash.tsx'

/** React offers this only as a class. */
export class Catch extends Component<{ at: string; children: ReactNode }, { problem: unknown }> {
  override state = { problem: null as unknown }
  static getDerivedStateFromError(problem: unknown) {
    return { problem }
  }
  override componentDidUpdate(before: { at: string }) {
    if (before.at !== this.props.at && this.state.problem !== null) this.setState({ problem: null })
  }
  override render() {
    if (this.state.problem === null) return this.props.children
    return (
      <Splash>
        <ErrorBox problem={this.state.problem} retry={() => this.setState({ problem: null })} />
      </Splash>
    )
  }
}
