import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.eclipse.californium.core.CoapClient;
import org.eclipse.californium.core.CoapResponse;
import org.eclipse.californium.core.config.CoapConfig;
import org.eclipse.californium.core.network.CoapEndpoint;
import org.eclipse.californium.elements.config.Configuration;
import org.eclipse.leshan.client.LeshanClient;
import org.eclipse.leshan.client.LeshanClientBuilder;
import org.eclipse.leshan.client.engine.DefaultRegistrationEngineFactory;
import org.eclipse.leshan.client.object.Device;
import org.eclipse.leshan.client.object.Security;
import org.eclipse.leshan.client.object.Server;
import org.eclipse.leshan.client.observer.LwM2mClientObserverAdapter;
import org.eclipse.leshan.client.resource.BaseInstanceEnabler;
import org.eclipse.leshan.client.resource.ObjectsInitializer;
import org.eclipse.leshan.client.servers.LwM2mServer;
import org.eclipse.leshan.core.model.LwM2mModelRepository;
import org.eclipse.leshan.core.model.ObjectLoader;
import org.eclipse.leshan.core.model.ResourceModel.Type;
import org.eclipse.leshan.core.model.StaticModel;
import org.eclipse.leshan.core.model.ObjectModel;
import org.eclipse.leshan.core.node.LwM2mResource;
import org.eclipse.leshan.core.node.codec.DefaultLwM2mDecoder;
import org.eclipse.leshan.core.node.codec.DefaultLwM2mEncoder;
import org.eclipse.leshan.core.node.codec.LwM2mValueChecker;
import org.eclipse.leshan.core.node.codec.NodeDecoder;
import org.eclipse.leshan.core.node.codec.NodeEncoder;
import org.eclipse.leshan.core.request.ContentFormat;
import org.eclipse.leshan.core.request.RegisterRequest;
import org.eclipse.leshan.core.request.argument.Arguments;
import org.eclipse.leshan.core.response.ExecuteResponse;
import org.eclipse.leshan.core.response.ReadResponse;
import org.eclipse.leshan.core.response.WriteResponse;
import org.eclipse.leshan.transport.californium.client.endpoint.CaliforniumClientEndpointsProvider;
import org.eclipse.leshan.transport.californium.client.endpoint.coap.CoapClientProtocolProvider;

/**
 * A device on Eclipse Leshan's client library with a working Firmware Update object: it pulls or
 * takes a push, "reboots" on Update and registers anew. One line per step.
 *
 * <p>Usage: java -cp JARS LeshanDevice.java coap://HOST:PORT ENDPOINT VERSION [name=value ...] with
 * object=1.0|1.1, delivery=0|1|2, protocols=0,2, block=BYTES, queue=true, format=110|112 for a
 * device that reads and writes nothing but that (and opaque).
 */
public class LeshanDevice {
  static String server;
  static String endpoint;
  static String version;
  static final Map<String, String> options = new HashMap<>();
  static final ExecutorService work = Executors.newCachedThreadPool();
  static final Firmware firmware = new Firmware();
  static LeshanClient client;
  static Configuration configuration;

  public static void main(String[] args) throws Exception {
    // Otherwise it is read from a file in the working folder, which is written if it is missing.
    Configuration.setStandard(Configuration.createStandardWithoutFile());
    work.execute(LeshanDevice::endWithParent);
    server = args[0];
    endpoint = args[1];
    version = args[2];
    for (int at = 3; at < args.length; at++) {
      String[] pair = args[at].split("=", 2);
      options.put(pair[0], pair[1]);
    }
    start();
  }

  /** Whoever started it holds the other end of its input. */
  static void endWithParent() {
    try {
      while (System.in.read() >= 0) {}
    } catch (Exception error) {
      say("input " + error);
    }
    Runtime.getRuntime().halt(0);
  }

  static String option(String name, String fallback) {
    return options.getOrDefault(name, fallback);
  }

  static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  static void start() {
    LwM2mModelRepository all = new LwM2mModelRepository(ObjectLoader.loadAllDefault());
    List<ObjectModel> models = new ArrayList<>();
    for (int id : new int[] {0, 1, 3}) models.add(all.getObjectModel(id, "1.1"));
    models.add(all.getObjectModel(5, option("object", "1.1")));
    ObjectsInitializer objects = new ObjectsInitializer(new StaticModel(models));
    objects.setInstancesForObject(0, Security.noSec(server, 123));
    objects.setInstancesForObject(1, new Server(123, Long.parseLong(option("lifetime", "300"))));
    objects.setInstancesForObject(3, new RunningDevice());
    objects.setInstancesForObject(5, firmware);

    DefaultRegistrationEngineFactory engine = new DefaultRegistrationEngineFactory();
    engine.setQueueMode(Boolean.parseBoolean(option("queue", "false")));
    CaliforniumClientEndpointsProvider.Builder endpoints =
        new CaliforniumClientEndpointsProvider.Builder(new CoapClientProtocolProvider());
    configuration = endpoints.createDefaultConfiguration();
    configuration.set(CoapConfig.PREFERRED_BLOCK_SIZE, Integer.parseInt(option("block", "1024")));
    configuration.set(CoapConfig.MAX_RESOURCE_BODY_SIZE, 4 * 1024 * 1024);
    endpoints.setConfiguration(configuration).setClientAddress(InetAddress.getLoopbackAddress());

    LeshanClientBuilder builder = new LeshanClientBuilder(endpoint);
    builder.setObjects(objects.create(0, 1, 3, 5));
    builder.setRegistrationEngineFactory(engine).setEndpointsProviders(endpoints.build());
    if (options.containsKey("format")) speakOnly(builder, Integer.parseInt(option("format", "")));
    client = builder.build();
    client.addObserver(
        new LwM2mClientObserverAdapter() {
          @Override
          public void onRegistrationSuccess(LwM2mServer to, RegisterRequest request, String id) {
            say("registered " + id + " " + version);
          }

          @Override
          public void onUnexpectedError(Throwable error) {
            say("unexpected " + error);
          }
        });
    client.start();
  }

  static void speakOnly(LeshanClientBuilder builder, int format) {
    List<ContentFormat> spoken = List.of(ContentFormat.fromCode(format), ContentFormat.OPAQUE);
    Map<ContentFormat, NodeEncoder> encoders = DefaultLwM2mEncoder.getDefaultNodeEncoders(false);
    encoders.keySet().retainAll(spoken);
    builder.setEncoder(
        new DefaultLwM2mEncoder(
            encoders, DefaultLwM2mEncoder.getDefaultPathEncoder(), new LwM2mValueChecker()));
    Map<ContentFormat, NodeDecoder> decoders = DefaultLwM2mDecoder.getDefaultNodeDecoders(false);
    decoders.keySet().retainAll(spoken);
    builder.setDecoder(
        new DefaultLwM2mDecoder(decoders, DefaultLwM2mDecoder.getDefaultPathDecoder()));
  }

  /** What a reboot does: everything is gone but the version that runs and the result. */
  static void reboot() throws Exception {
    client.destroy(false);
    version = firmware.target;
    firmware.finish();
    start();
  }

  public static class RunningDevice extends Device {
    public RunningDevice() {
      super("maker", "model", "serial");
    }

    @Override
    public ReadResponse read(LwM2mServer from, int resource) {
      return resource == 3 ? ReadResponse.success(3, version) : super.read(from, resource);
    }

    @Override
    public List<Integer> getAvailableResourceIds(ObjectModel model) {
      List<Integer> ids = new ArrayList<>(super.getAvailableResourceIds(model));
      if (!ids.contains(3)) ids.add(3);
      return ids;
    }
  }

  /** Object 5. */
  public static class Firmware extends BaseInstanceEnabler {
    String uri = "";
    int state = 0;
    int result = 0;
    String target = "1.1.0";

    @Override
    public ReadResponse read(LwM2mServer from, int resource) {
      switch (resource) {
        case 1:
          return ReadResponse.success(1, uri);
        case 3:
          return ReadResponse.success(3, (long) state);
        case 5:
          return ReadResponse.success(5, (long) result);
        case 8:
          Map<Integer, Long> protocols = new HashMap<>();
          for (String protocol : option("protocols", "0").split(","))
            protocols.put(protocols.size(), Long.valueOf(protocol));
          return ReadResponse.success(8, protocols, Type.INTEGER);
        case 9:
          return ReadResponse.success(9, Long.parseLong(option("delivery", "2")));
        default:
          return ReadResponse.notFound();
      }
    }

    @Override
    public List<Integer> getAvailableResourceIds(ObjectModel model) {
      return List.of(1, 3, 5, 8, 9, 2, 0);
    }

    @Override
    public WriteResponse write(LwM2mServer from, boolean replace, int resource, LwM2mResource value) {
      if (resource == 1) {
        uri = (String) value.getValue();
        say("package URI " + uri);
        become(0, 0);
        if (!uri.isEmpty()) work.execute(this::pull);
        return WriteResponse.success();
      }
      if (resource == 0) {
        byte[] bytes = (byte[]) value.getValue();
        say("pushed " + digest(bytes));
        become(2, 0);
        return WriteResponse.success();
      }
      return WriteResponse.notFound();
    }

    @Override
    public ExecuteResponse execute(LwM2mServer from, int resource, Arguments arguments) {
      if (resource != 2 || state != 2) return ExecuteResponse.methodNotAllowed();
      become(3, 0);
      work.execute(
          () -> {
            try {
              Thread.sleep(300);
              reboot();
            } catch (Exception error) {
              say("failed " + error);
            }
          });
      return ExecuteResponse.success();
    }

    void pull() {
      become(1, 0);
      try {
        byte[] bytes = uri.startsWith("coap:") ? overCoap() : overHttp();
        say("downloaded " + digest(bytes));
        become(2, 0);
      } catch (Exception error) {
        say("failed " + error);
        become(0, 4);
      }
    }

    byte[] overCoap() throws Exception {
      CoapClient coap = new CoapClient(uri);
      coap.setEndpoint(CoapEndpoint.builder().setConfiguration(configuration).build());
      coap.setTimeout(60_000L);
      CoapResponse response = coap.get();
      coap.shutdown();
      if (response == null || !response.isSuccess()) throw new Exception("answer " + response);
      return response.getPayload();
    }

    byte[] overHttp() throws Exception {
      try (InputStream in = URI.create(uri).toURL().openStream()) {
        return in.readAllBytes();
      }
    }

    void finish() {
      uri = "";
      state = 0;
      result = 1;
    }

    void become(int newState, int newResult) {
      state = newState;
      result = newResult;
      fireResourceChange(3);
      fireResourceChange(5);
    }
  }

  static String digest(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }
}
