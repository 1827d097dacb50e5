package tributary.servers;

import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.memory.MemoryBackend;
import de.bwaldvogel.mongo.bson.Document;
import io.netty.channel.Channel;
import io.netty.util.AttributeKey;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;

/**
 * A MongoDB-wire server in memory. The arguments are its port and its address, and then a second port, at which clients must sign in, and the
 * file with their names and passwords: one of each a line, as they are at that moment. It ends with its process.
 */
public final class Mongo {
    private Mongo() {}

    /** The newest the server knows is 5.0 with an old wire version, which drivers of today refuse to speak to. */
    private static final MongoVersion ANNOUNCED = new MongoVersion() {
        @Override
        public List<Integer> getVersionArray() {
            return List.of(6, 0, 0);
        }

        @Override
        public int getWireVersion() {
            return 17;
        }
    };

    private static final class Backend extends MemoryBackend {
        private static final AttributeKey<Boolean> SIGNED_IN = AttributeKey.valueOf("signed in");
        /** What a client may ask before it has signed in. */
        private static final Set<String> BEFORE = Set.of("hello", "isMaster", "ismaster", "saslStart", "buildInfo", "ping", "endSessions");

        private final int guarded;
        private final Path users;

        Backend(int guarded, Path users) {
            this.guarded = guarded;
            this.users = users;
        }

        @Override
        public Document handleCommand(Channel channel, String database, String command, Document query) {
            boolean asks = ((InetSocketAddress) channel.localAddress()).getPort() == guarded;
            if (asks && command.equals("saslStart")) {
                return signIn(channel, query);
            }
            if (asks && !BEFORE.contains(command) && channel.attr(SIGNED_IN).get() == null) {
                return refusal(13, "Unauthorized", "command " + command + " requires authentication");
            }
            // The server answers the command by its name of before MongoDB 5.0 alone.
            return super.handleCommand(channel, database, command.equals("hello") ? "isMaster" : command, query);
        }

        /** The mechanism PLAIN: an authorization identity, which nobody gives, the name and the password, each after a zero byte. */
        private Document signIn(Channel channel, Document query) {
            String[] said = new String((byte[]) query.get("payload"), StandardCharsets.UTF_8).split("\0", -1);
            if (!"PLAIN".equals(query.get("mechanism")) || said.length != 3 || !known(said[1] + " " + said[2])) {
                return refusal(18, "AuthenticationFailed", "Authentication failed.");
            }
            channel.attr(SIGNED_IN).set(true);
            Document answer = new Document();
            answer.put("conversationId", 1);
            answer.put("done", true);
            answer.put("payload", new byte[0]);
            answer.put("ok", 1.0);
            return answer;
        }

        private boolean known(String user) {
            try {
                return Files.exists(users) && Files.readAllLines(users).contains(user);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private static Document refusal(int code, String name, String message) {
            Document answer = new Document();
            answer.put("ok", 0.0);
            answer.put("errmsg", message);
            answer.put("code", code);
            answer.put("codeName", name);
            return answer;
        }
    }

    public static void main(String[] args) {
        int open = Integer.parseInt(args[0]);
        int guarded = Integer.parseInt(args[2]);
        Backend backend = new Backend(guarded, Path.of(args[3]));
        backend.version(ANNOUNCED);
        new MongoServer(backend).bind(args[1], open);
        new MongoServer(backend).bind(args[1], guarded);
    }
}
