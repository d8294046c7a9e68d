/** Controllers: the machines that run things, what each can do, adding and revoking. */
import type { Controller } from '@kalnet/contracts/controller'
import { useQuery } from '@tanstack/react-query'
import { Plus, Server } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { controllersQuery, homesQuery, may, useMe } from '../queries.ts'
import { keptThere } from '../sessions/kept.ts'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Empty, ErrorBox, Skeleton } from '../ui/parts.tsx'
import { ControllerCard } from './controller-card.tsx'
import { Frame } from './frame.tsx'
import css from './settings.module.css'

const Enrol = later(() => import('./enrol.tsx'))

/** Always the same order, however the list was told: one's own machine first, then by name. */
const inOrder = (items: Controller[]) =>
  items.toSorted(
    (one, other) =>
      Number(other.installation) - Number(one.installation) || one.name.localeCompare(other.name),
  )

export default function Controllers() {
  const me = useMe()
  const { data, error, isPending, refetch } = useQuery(controllersQuery)
  const homes = useQuery(homesQuery)
  const [adding, setAdding] = useState(false)
  const manages = may(me, 'controller.manage')
  const add = manages && (
    <Button look="primary" icon={<Plus aria-hidden />} onPress={() => setAdding(true)}>
      {m.controllerAdd}
    </Button>
  )
  return (
    <Frame here="controllers" title={m.settingsControllers} text={m.controllersText} action={add}>
      {isPending && (
        <div className={css.list} aria-busy="true">
          <Skeleton height="220px" />
          <Skeleton height="220px" />
        </div>
      )}
      {error && !data && <ErrorBox problem={error} retry={() => void refetch()} />}
      {data?.items.length === 0 && (
        <Empty
          icon={<Server aria-hidden />}
          title={m.controllersEmpty}
          text={m.controllersEmptyText}
          next={
            manages && (
              <Button look="primary" onPress={() => setAdding(true)}>
                {m.controllerAdd}
              </Button>
            )
          }
        />
      )}
      {data && data.items.length > 0 && (
        <ul className={css.list}>
          {inOrder(data.items).map((controller) => (
            <li key={controller.id}>
              <ControllerCard
                controller={controller}
                manages={manages}
                kept={keptThere(homes.data?.items.find((it) => it.controllerId === controller.id))}
              />
            </li>
          ))}
        </ul>
      )}
      {adding && <Enrol onClose={() => setAdding(false)} />}
    </Frame>
  )
}
