/** For those who came in by an identity provider: prove it there. The page is left for it, so the change is made once more afterwards. */
import { useMutation, useQuery } from '@tanstack/react-query'
import { ExternalLink } from 'lucide-react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { Note } from './trouble.tsx'

/** `alone`: there is no other way to prove it. */
export function ProveElsewhere({ alone }: { alone: boolean }) {
  const linked = useQuery({
    queryKey: ['linked-accounts'],
    queryFn: ({ signal }) => call(ROUTES.linkedAccounts.list, { signal }),
  })
  const prove = useMutation({
    mutationFn: (id: string) =>
      call(ROUTES.linkedAccounts.prove, { params: { id }, body: { back: location.pathname } }),
    onSuccess: ({ link }) => location.assign(link),
  })
  const items = linked.data?.items ?? []
  if (items.length === 0) return alone && linked.data ? <Note text={m.stepUpNone} /> : null
  return (
    <>
      {prove.error && <ErrorBox problem={prove.error} />}
      {alone && <Note text={m.stepUpAtText} />}
      {items.map(({ id, provider }) => (
        <Button
          key={id}
          look={alone ? 'soft' : 'plain'}
          wide
          icon={<ExternalLink aria-hidden />}
          isPending={prove.isPending}
          onPress={() => prove.mutate(id)}
        >
          {m.stepUpAt(provider.name)}
        </Button>
      ))}
    </>
  )
}
