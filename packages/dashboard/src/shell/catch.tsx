/** A page that breaks says so in its place; the address and everything else live on. */
import { Component, type ReactNode } from 'react'
import { ErrorBox } from '../ui/parts.tsx'
import { Splash } from './splash.tsx'

/** React offers this only as a class. */
export class Catch extends Component<{ children: ReactNode }, { problem: unknown }> {
  override state = { problem: null as unknown }
  static getDerivedStateFromError(problem: unknown) {
    return { problem }
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
