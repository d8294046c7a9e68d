/** The addresses that lead to one service. */
import type { Service } from '@kalnet/contracts/service'
import { RouteList } from '../routes/list.tsx'

export default function Addresses({ service }: { service: Service }) {
  return <RouteList service={service.id} />
}
