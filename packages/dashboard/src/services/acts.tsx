/** The buttons of a service: open it; start, stop and start it afresh for whoever looks after it. */
import type { Service } from '@kalnet/contracts/service'
import { Play, RotateCcw, Square } from 'lucide-react'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { useRestart, useStart, useStop } from './actions.ts'
import { opensAt } from './facts.ts'
import { OpenLink } from './open-link.tsx'
import css from './page.module.css'

export function Acts({ service }: { service: Service }) {
  const me = useMe()
  const start = useStart()
  const stop = useStop()
  const restart = useRestart()
  const operates = may(me, 'service.operate') && service.kind === 'managed'
  const runs = service.desired === 'running'
  const url = opensAt(service)
  return (
    <div className={css.acts}>
      {url && <OpenLink url={url} title={service.title} look="primary" />}
      {operates && !runs && (
        <Button
          look="primary"
          icon={<Play aria-hidden />}
          isPending={start.isPending}
          onPress={() => start.mutate(service)}
        >
          {m.serviceStart}
        </Button>
      )}
      {operates && runs && (
        <>
          <Button
            icon={<RotateCcw aria-hidden />}
            isPending={restart.isPending}
            onPress={() => restart.mutate(service)}
          >
            {m.serviceRestart}
          </Button>
          <Button
            icon={<Square aria-hidden />}
            isPending={stop.isPending}
            onPress={() => stop.mutate(service)}
          >
            {m.serviceStop}
          </Button>
        </>
      )}
    </div>
  )
}
