import { Text } from '@mantine/core';

/** The window's frame. */
export function App() {
  return <Text>Slipway</Text>;
}
