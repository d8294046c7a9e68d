/** The machines of a cluster: does it take something, how full is it, how many of ours run there. */
import type { ClusterMachine, ClusterView } from '@kalnet/contracts/cluster'
import { CirclePause } from 'lucide-react'
import { useState } from 'react'
import { number, size } from '../format.ts'
import * as m from '../messages/index.ts'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Card } from '../ui/parts.tsx'
import { Meter } from '../ui/progress.tsx'
import css from './cluster.module.css'
import { shareText } from './cluster-room.tsx'
import { inOrder, ofMachine, shareOf } from './cluster-sums.ts'

/** More are shown when they are asked for. */
const FIRST = 20

function State({ machine }: { machine: ClusterMachine }) {
  if (!machine.ready) return <Badge tone="bad">{m.clusterMachineUnready}</Badge>
  if (!machine.cordoned) return <Badge tone="good">{m.clusterMachineReady}</Badge>
  return (
    <Badge tone="warn" icon={<CirclePause aria-hidden />}>
      {m.clusterMachineCordoned}
    </Badge>
  )
}

function Machine({ machine }: { machine: ClusterMachine }) {
  const memory = ofMachine(machine, 'memoryBytes')
  const cpus = ofMachine(machine, 'cpus')
  return (
    <li className={css.machine}>
      <div className={css.machineHead}>
        <strong>{machine.name}</strong>
        <span className={css.quiet}>{m.clusterMachineRuns(machine.ours.pods)}</span>
        <State machine={machine} />
      </div>
      {machine.detail && <p className={css.quiet}>{machine.detail}</p>}
      <div className={css.meters}>
        <Meter label={m.clusterMemory} share={shareOf(memory)} text={shareText(memory, size)} />
        <Meter
          label={m.clusterCpu}
          share={shareOf(cpus)}
          text={shareText(cpus, (value) => number(value, 1))}
        />
      </div>
    </li>
  )
}

export function ClusterMachines({ cluster }: { cluster: ClusterView }) {
  const [all, setAll] = useState(false)
  const { machines, machineCount } = cluster
  if (!machines) return null
  const shown = all ? inOrder(machines) : inOrder(machines).slice(0, FIRST)
  const left = machineCount - machines.length
  return (
    <Card label={m.clusterMachines}>
      <div className={css.section}>
        <div className={css.sectionHead}>
          <h2>{m.clusterMachines}</h2>
          <span className={css.quiet}>{m.clusterMachinesMany(machineCount)}</span>
        </div>
        {machineCount === 0 && <p className={css.quiet}>{m.clusterMachinesNone}</p>}
        <ul className={css.rows}>
          {shown.map((machine) => (
            <Machine key={machine.name} machine={machine} />
          ))}
        </ul>
        {shown.length < machines.length && (
          <Button onPress={() => setAll(true)}>{m.clusterMachinesAll(machines.length)}</Button>
        )}
        {all && left > 0 && <p className={css.quiet}>{m.clusterMachinesLeft(left)}</p>}
      </div>
    </Card>
  )
}
