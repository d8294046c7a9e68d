/** What only the control plane knows, for a collector: connections to it, and instances by state. */
import type { Store } from '../core/store.ts'
import type { Telemetry } from '../core/telemetry/telemetry.ts'
import { statements } from './store.ts'

export function measureHouse(
  telemetry: Telemetry | null,
  { store, connections }: { store: Pick<Store, 'system'>; connections(): Promise<number> },
): void {
  telemetry?.measure(async () => [
    {
      name: 'kalnet.connections',
      description: 'Open connections to the control plane',
      unit: '{connection}',
      is: { kind: 'level', points: [{ attributes: {}, value: await connections() }] },
    },
  ])
  telemetry?.measure(async () => {
    const { rows } = await store.system.read((tx) => statements.instancesByState().execute(tx))
    const points = rows.map(({ state, platform, instances }) => ({
      attributes: { 'kalnet.instance.state': state, 'kalnet.platform': platform },
      value: instances,
    }))
    return [
      {
        name: 'kalnet.instances',
        description:
          'Instances as their controllers last saw them, of the whole installation: every server says the same',
        unit: '{instance}',
        is: { kind: 'gauge', points },
      },
    ]
  })
}
