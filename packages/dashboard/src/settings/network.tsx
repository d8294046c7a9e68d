/** Network: which address leads where, how each goes, and who calls whom. */
import * as m from '../messages/index.ts'
import { RouteList } from '../routes/list.tsx'
import { Topology } from '../topology/topology.tsx'
import { Frame } from './frame.tsx'

export default function NetworkPage() {
  return (
    <Frame here="network" title={m.settingsNetwork} text={m.networkText}>
      <RouteList />
      <Topology />
    </Frame>
  )
}
