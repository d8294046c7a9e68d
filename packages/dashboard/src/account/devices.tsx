/** Where I am signed in, in words; signing out one, the others, or everywhere. */
import type { Device } from '@kalnet/contracts/sign-in'
import { useQuery } from '@tanstack/react-query'
import { Laptop, Smartphone } from 'lucide-react'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Ago } from '../ui/ago.tsx'
import { Badge } from '../ui/badge.tsx'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Card, ErrorBox, Skeleton } from '../ui/parts.tsx'
import css from './account.module.css'
import { leaveHere } from './leave-here.ts'
import { devicesQuery, useChange } from './queries.ts'

const inHand = ({ device }: Device) => /iPhone|iPad|Android/.test(device)
const howOf = ({ method, assurance }: Device) =>
  assurance === 2 ? `${m.deviceBy[method]}, ${m.deviceTwo}` : m.deviceBy[method]

function DeviceRow({ it }: { it: Device }) {
  const end = useChange(() => call(ROUTES.signIn.endDevice, { params: { id: it.id } }), {
    said: () => m.deviceEnded(it.device),
  })
  return (
    <li className={css.row}>
      <span className={css.icon}>{inHand(it) ? <Smartphone aria-hidden /> : <Laptop aria-hidden />}</span>
      <div className={css.main}>
        <div className={css.words}>
          <h3>
            {it.device}
            {it.current && <Badge tone="good">{m.deviceHere}</Badge>}
          </h3>
          <span className={css.text}>
            {it.current ? (
              m.deviceNow
            ) : (
              <>
                {m.deviceSeen} <Ago at={it.lastSeenAt} />
              </>
            )}
            {` · ${it.address} · ${howOf(it)}`}
          </span>
        </div>
        {!it.current && (
          <div className={css.actions}>
            <Button
              aria-label={m.deviceEndNamed(it.device)}
              isPending={end.isPending}
              onPress={() => end.mutate()}
            >
              {m.deviceEnd}
            </Button>
          </div>
        )}
      </div>
    </li>
  )
}

export function Devices() {
  const { data, error, refetch } = useQuery(devicesQuery)
  const [asking, setAsking] = useState<'others' | 'all' | null>(null)
  const close = () => setAsking(null)
  const endOthers = useChange(() => call(ROUTES.signIn.endOthers), {
    said: () => m.devicesOthersDone,
    onDone: close,
  })
  const endAll = useChange(() => call(ROUTES.signIn.endAll), { onDone: leaveHere })
  const others = data?.filter(({ current }) => !current).length ?? 0
  return (
    <Card label={m.devices}>
      <div className={css.card}>
        <div className={css.head}>
          <h2>{m.devices}</h2>
          <p>{m.devicesText}</p>
        </div>
        {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
        {!data && !error && <Skeleton height="160px" />}
        <ul className={css.rows}>
          {data?.map((it) => (
            <DeviceRow key={it.id} it={it} />
          ))}
        </ul>
        <div className={css.foot}>
          {others > 0 && <Button onPress={() => setAsking('others')}>{m.devicesOthers}</Button>}
          <Button look="plain" onPress={() => setAsking('all')}>
            {m.devicesAll}
          </Button>
        </div>
      </div>
      {asking === 'others' && (
        <Confirm
          title={m.devicesOthersTitle}
          text={m.devicesOthersText(others)}
          action={m.devicesOthersAction}
          pending={endOthers.isPending}
          onConfirm={() => endOthers.mutate()}
          onClose={close}
        />
      )}
      {asking === 'all' && (
        <Confirm
          title={m.devicesAllTitle}
          text={m.devicesAllText}
          action={m.devicesAll}
          pending={endAll.isPending}
          onConfirm={() => endAll.mutate()}
          onClose={close}
        />
      )}
    </Card>
  )
}
