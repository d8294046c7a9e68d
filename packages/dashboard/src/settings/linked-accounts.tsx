/** A card of the account page: accounts elsewhere that let me in, linking another one, unlinking. Nothing when there are no providers. */
import type { LinkedAccount } from '@kalnet/contracts/federation'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import account from '../account/account.module.css'
import { Row } from '../account/row.tsx'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { ProviderIcon } from '../providers/icon.tsx'
import { linkedQuery, providersChanged } from '../providers/queries.ts'
import { tellProblem } from '../sessions/actions.ts'
import { Ago } from '../ui/ago.tsx'
import { Button } from '../ui/button.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { Card } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'

function Unlink({ it, onClose }: { it: LinkedAccount; onClose: () => void }) {
  const { name } = it.provider
  const unlink = useMutation({
    mutationFn: () => call(ROUTES.linkedAccounts.unlink, { params: { id: it.id } }),
    onSuccess: () => {
      void providersChanged()
      toast({ tone: 'good', text: m.unlinked(name) })
      onClose()
    },
    onError: tellProblem,
  })
  return (
    <Confirm
      title={m.unlinkTitle(name)}
      text={m.unlinkText}
      action={m.unlink}
      pending={unlink.isPending}
      onConfirm={() => unlink.mutate()}
      onClose={onClose}
    />
  )
}

export function LinkedAccounts() {
  const { data } = useQuery(linkedQuery)
  const [leaving, setLeaving] = useState<LinkedAccount | null>(null)
  const link = useMutation({
    mutationFn: (providerId: string) =>
      call(ROUTES.linkedAccounts.link, { body: { providerId, back: location.pathname } }),
    onSuccess: ({ link: address }) => location.assign(address),
    onError: tellProblem,
  })
  if (!data || (data.items.length === 0 && data.available.length === 0)) return null
  return (
    <Card label={m.linkedTitle}>
      <div className={account.card}>
        <div className={account.head}>
          <h2>{m.linkedTitle}</h2>
          <p>{data.items.length === 0 ? m.linkedNone : m.linkedText}</p>
        </div>
        <div className={account.rows}>
          {data.items.map((it) => (
            <Row
              key={it.id}
              icon={<ProviderIcon icon={it.provider.icon} />}
              title={it.provider.name}
              text={
                <>
                  {m.linkedAs(it.account)} ·{' '}
                  {it.lastUsedAt ? (
                    <>
                      {m.linkedUsed} <Ago at={it.lastUsedAt} />
                    </>
                  ) : (
                    m.linkedNever
                  )}
                  {!it.removable && <div>{m.unlinkLast}</div>}
                </>
              }
              actions={
                it.removable && (
                  <Button aria-label={m.unlinkOne(it.provider.name)} onPress={() => setLeaving(it)}>
                    {m.unlink}
                  </Button>
                )
              }
            />
          ))}
        </div>
        {data.available.length > 0 && (
          <div className={account.foot}>
            {data.available.map(({ id, name, icon }) => (
              <Button
                key={id}
                icon={<ProviderIcon icon={icon} />}
                isPending={link.isPending && link.variables === id}
                onPress={() => link.mutate(id)}
              >
                {m.linkWith(name)}
              </Button>
            ))}
          </div>
        )}
      </div>
      {leaving && <Unlink it={leaving} onClose={() => setLeaving(null)} />}
    </Card>
  )
}
